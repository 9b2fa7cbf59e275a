/**
 * The state of a page in one place. Listeners run once per batch of changes, after the code that made them.
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
      queueMicrotask(publish);
    },
    subscribe: (listener) => void listeners.push(listener),
  };
}
