/**
 * Files go to the server one after another, and then into the outbox. Their bytes do not survive a reload, so until then they
 * are in nobody's storage.
 *
 * @param {object} options
 * @param {string} options.address
 * @param {() => string | null} options.session null while there is no connection
 * @param {() => void} options.onChange
 * @param {(content: object) => void} options.onDone the content of a message
 */
export function createUploads({ address, session, onChange, onDone }) {
  let items = [];
  let underWay = false;

  function add(file) {
    const known = { name: file.name, size: file.size, content_type: file.type };
    const item = {
      id: `upload ${items.length} ${Date.now()}`,
      at: new Date().toISOString(),
      share: 0,
      file: known,
      bytes: file,
    };
    change([...items, item]);
    pump();
  }

  function change(next) {
    items = next;
    onChange();
  }

  const patch = (id, members) =>
    change(items.map((item) => (item.id === id ? { ...item, ...members } : item)));

  function pump() {
    const item = items.find((one) => !one.failed);
    if (underWay || !item || !session()) return;
    underWay = true;
    const call = new XMLHttpRequest(); // fetch does not tell how much has gone
    call.open("POST", `${address}?name=${encodeURIComponent(item.file.name)}`);
    call.setRequestHeader("Authorization", `Bearer ${session()}`);
    call.setRequestHeader("Content-Type", "application/octet-stream");
    call.upload.onprogress = ({ loaded, total }) => patch(item.id, { share: loaded / total });
    call.onloadend = () => ended(call, item);
    call.send(item.bytes);
  }

  /** Without an answer it was the network: the file goes again with the next connection. */
  function ended(call, { id, file }) {
    underWay = false;
    if (call.status === 201) {
      remove(id);
      const { media_id, file_name, size, content_type } = JSON.parse(call.responseText);
      onDone({ media_id, file_name, file: { ...file, name: file_name, size, content_type } });
    } else if (call.status) patch(id, { failed: true });
    if (call.status) pump();
  }

  const remove = (id) => change(items.filter((item) => item.id !== id));

  function again(id) {
    patch(id, { failed: false, share: 0 });
    pump();
  }

  return { add, remove, again, pump, has: (id) => items.some((item) => item.id === id), items: () => items };
}
