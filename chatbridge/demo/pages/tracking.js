import { call } from "/look/api.js";

/**
 * Follows one message: the newest one until the user chooses another. Its timeline is read when the choice changes and
 * whenever the server says that it has grown.
 *
 * State members: `chosen` is null or `{ids, key}` (the ids under which its timeline may be found, and its bubble),
 * `refused` the last one that the phone did not take, with the key of the one it came `after`, `tracked` the ids followed now, `timeline` the last one read.
 *
 * @param {ReturnType<typeof import("/look/store.js").createStore>} store
 */
export function createTracking(store) {
  let reading = false;
  let stale = false;

  /** Run after each change of the state. */
  function follow({ chosen, refused, messages, tracked }) {
    const last = messages.at(-1);
    const newest = refused && refused.after === last?.key ? refused : last;
    const next = chosen ?? (newest && { ids: [newest.id], key: newest.key });
    const same = next?.key === tracked?.key && next?.ids.join() === tracked?.ids.join();
    if (!next || same) return;
    const kept = next.key !== null && next.key === tracked?.key;
    store.set({ tracked: next, ...(kept ? {} : { timeline: null }) });
    void read();
  }

  /** Read the timeline afresh; one reading at a time, and once more if it grew meanwhile. */
  async function read() {
    stale = true;
    if (reading) return;
    reading = true;
    while (stale) {
      stale = false;
      const asked = store.get().tracked;
      const timeline = await find(asked?.ids ?? []);
      if (store.get().tracked === asked && timeline) store.set({ timeline });
    }
    reading = false;
  }

  /** A message not known yet, or not yet stored, has no timeline: that is no error, the stream will tell of it. */
  async function find(ids) {
    for (const id of ids.filter(Boolean)) {
      const timeline = await call("GET", `/demo/messages/${encodeURIComponent(id)}/timeline`).catch(
        () => null,
      );
      if (timeline) return timeline;
    }
    return null;
  }

  function grown({ id }) {
    const { tracked, timeline } = store.get();
    if (id === timeline?.id || tracked?.ids.includes(id) || !timeline) void read();
  }

  function refused({ id }) {
    store.set({ refused: { id, key: id, after: store.get().messages.at(-1)?.key } });
  }

  return {
    follow,
    read,
    events: { timeline: grown, refused },
    choose: (ids, key) => store.set({ chosen: { ids, key } }),
    chooseNewest: () => store.set({ chosen: null }),
  };
}
