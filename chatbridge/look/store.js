const FRAME_MS = 16;

/**
 * The state of a page in one place. Listeners run once per frame in which something changed, however many events came.
 *
 * @template {object} S
 * @param {S} initial
 * @returns {{get: () => S, set: (patch: Partial<S>) => void, subscribe: (listener: (state: S) => void) => void}}
 */
export function createStore(initial) {
  let state = initial;
  let scheduled = false;
  const listeners = [];

  function publish() {
    scheduled = false;
    for (const listener of listeners) listener(state);
  }

  return {
    get: () => state,
    set(patch) {
      state = { ...state, ...patch };
      if (scheduled) return;
      scheduled = true;
      setTimeout(publish, FRAME_MS);
    },
    subscribe: (listener) => void listeners.push(listener),
  };
}
