/**
 * What the visitor wrote, until it comes back as an event. It is stored before it is shown. One message is under way at a
 * time, which keeps the order; any page of the visitor sends what is next, and the id makes twice into once.
 *
 * @typedef {object} Item
 * @property {string} id
 * @property {string} at
 * @property {string} text
 * @property {string | null} media_id
 * @property {string | null} file_name
 * @property {string | null} button
 * @property {object} [file] what is known of the file meanwhile
 * @property {number} [position] the server has it
 * @property {boolean} [failed] the server will never take it
 */

/**
 * The next to be sent.
 *
 * @param {Item[]} items
 * @returns {Item | undefined}
 */
export function nextOf(items) {
  return items.find((item) => !item.position && !item.failed);
}

/**
 * @param {object} options
 * @param {ReturnType<typeof import("./store.js").createStore>} options.store
 * @param {(frame: object, owed: boolean) => boolean} options.send
 */
export function createOutbox({ store, send }) {
  let underWay = null;
  let timer = 0;

  const change = (id, patch) =>
    store.change(({ outbox }) => ({
      outbox: outbox.map((item) => (item.id === id ? { ...item, ...patch } : item)),
    }));

  function pump() {
    const item = nextOf(store.get().outbox);
    if (underWay || timer || !item) return;
    const { id, at, text, media_id, file_name, button } = item;
    const frame = { type: "message", id, at, text, media_id, file_name, reply_to: null, button };
    if (send(frame, true)) underWay = id;
  }

  /** A new connection: what was not answered is next. */
  function restart() {
    underWay = null;
    pump();
  }

  function waited() {
    timer = 0;
    pump();
  }

  function add(content) {
    const item = {
      id: newId(),
      at: new Date().toISOString(),
      text: "",
      media_id: null,
      file_name: null,
      button: null,
    };
    store.own.add(item.id);
    store.change(({ outbox }) => ({ outbox: [...outbox, { ...item, ...content }] }));
    pump();
  }

  function accepted({ id, position }) {
    change(id, { position });
    settled(id);
  }

  function refused({ id, retry_after: seconds }) {
    if (seconds === null) change(id, { failed: true });
    else timer = setTimeout(waited, seconds * 1000);
    settled(id);
  }

  function settled(id) {
    if (underWay === id) underWay = null;
    pump();
  }

  function remove(id) {
    store.own.delete(id);
    store.change(({ outbox }) => ({ outbox: outbox.filter((item) => item.id !== id) }));
  }

  /** What was refused is refused for ever under its id, so it goes as a new message. */
  function again(id) {
    const { text, media_id, file_name, button, file } = store.get().outbox.find((item) => item.id === id);
    remove(id);
    add({ text, media_id, file_name, button, file });
  }

  return { add, accepted, refused, remove, again, pump, restart };
}

/** `crypto.randomUUID` is only for pages with TLS. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const text = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return text.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
