const KEPT_EVENTS = 200;

/**
 * @typedef {object} State what a visitor's pages share, kept over reloads
 * @property {string | null} session
 * @property {string} visitor changes when the server begins anew; ours, as a session may be renewed
 * @property {number} position the highest that we have, 0 for none
 * @property {number} read the highest that was in front of the visitor's eyes
 * @property {object | null} profile
 * @property {boolean} asked whether the form was answered or skipped
 * @property {boolean} muted
 * @property {object | null} settings the last that we heard, for when the server is away
 * @property {object[]} events messages and reactions by position
 * @property {object[]} outbox what was written and has not come back as an event, oldest first
 */

/** @type {State} */
export const NOTHING = {
  session: null,
  visitor: "",
  position: 0,
  read: 0,
  profile: null,
  asked: false,
  muted: false,
  settings: null,
  events: [],
  outbox: [],
};

/** Those of two lists, each once by its key; of two of one key the first that is `better`. */
function union(one, other, key) {
  const found = new Map();
  for (const item of [...one, ...other]) if (!found.has(item[key])) found.set(item[key], item);
  return [...found.values()];
}

/**
 * Add events. What came back as an event is not in the outbox any more.
 *
 * @param {State} state
 * @param {object[]} events
 * @param {number} [upTo] the server has sent everything up to there
 * @returns {State}
 */
export function withEvents(state, events, upTo = 0) {
  const all = union(state.events, events, "position").sort((a, b) => a.position - b.position);
  const known = new Set(all.map((event) => event.id));
  return {
    ...state,
    events: all,
    position: Math.max(state.position, upTo, ...events.map((event) => event.position)),
    outbox: state.outbox.filter((item) => !known.has(item.id)),
  };
}

/**
 * What this page knows, and what is stored by all pages of the visitor. The stored state is right about everything that was
 * chosen; nothing that either has seen gets lost, nor what this page wrote.
 *
 * @param {State} mine
 * @param {State} stored
 * @param {Set<string>} own ids of what this page wrote
 * @returns {State}
 */
export function merge(mine, stored, own) {
  const written = mine.outbox.filter((item) => own.has(item.id));
  const outbox = union(stored.outbox, written, "id").sort((a, b) => (a.at < b.at ? -1 : Number(a.at > b.at)));
  if (mine.visitor !== stored.visitor) return { ...stored, outbox };
  const read = Math.max(mine.read, stored.read);
  return withEvents({ ...stored, read, outbox }, mine.events, mine.position);
}

/**
 * What operators wrote and the visitor has not seen.
 *
 * @param {State} state
 * @returns {number}
 */
export function unread({ events, read }) {
  return events.filter((event) => fromOperator(event) && event.position > read).length;
}

/** Whether an event is an operator's message. */
export function fromOperator(event) {
  return event.type === "message" && event.from === "operator";
}

/** @param {string} key of the local storage */
export function createStore(key) {
  const own = new Set();
  let onChange = () => {};
  let state = { ...NOTHING };

  /** Storage may be forbidden, or full: then we have what is in memory. */
  function stored() {
    try {
      const text = localStorage.getItem(key);
      return text ? { ...NOTHING, ...JSON.parse(text) } : state;
    } catch {
      return state;
    }
  }

  function keep() {
    try {
      localStorage.setItem(key, JSON.stringify({ ...state, events: state.events.slice(-KEPT_EVENTS) }));
    } catch {
      // See stored().
    }
  }

  function refresh() {
    state = merge(state, stored(), own);
    onChange();
  }

  /** Every change starts from what is stored: another page may have been faster. */
  function change(next) {
    refresh();
    state = { ...state, ...next(state) };
    keep();
    onChange();
  }

  addEventListener("storage", (event) => event.key === key && refresh());
  state = stored();
  return { key, own, change, refresh, get: () => state, listen: (listener) => (onChange = listener) };
}
