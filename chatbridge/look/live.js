import { h, icon } from "/look/dom.js";

const LONGEST_WAIT_MS = 8000;

/**
 * Listen to a stream of server-sent events. The browser reconnects after a cut by itself, but gives up when the server
 * answers with an error; then we try again. `onOpen` runs at every connection: read everything afresh there and
 * nothing is missed.
 *
 * @param {string} url
 * @param {object} options
 * @param {Record<string, (data: any) => void>} options.events one function per event name
 * @param {(state: "connecting" | "open" | "lost") => void} options.onState
 * @param {() => void} options.onOpen
 * @returns {{close: () => void}}
 */
export function listen(url, { events, onState, onOpen }) {
  let source = null;
  let timer = 0;
  let wait = 500;

  function open() {
    source = new EventSource(url);
    source.addEventListener("open", () => {
      wait = 500;
      onState("open");
      onOpen();
    });
    source.addEventListener("error", () => {
      onState("lost");
      if (source.readyState === EventSource.CLOSED) again();
    });
    for (const [name, take] of Object.entries(events)) {
      source.addEventListener(name, (event) => take(JSON.parse(event.data)));
    }
  }

  function again() {
    wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    timer = setTimeout(open, wait);
  }

  onState("connecting");
  open();
  return {
    close() {
      clearTimeout(timer);
      source.close();
    },
  };
}

/**
 * Lists are read while events arrive, and an answer may be older than an event that was faster. So what is heard while a
 * list is being read is taken once more after it: the last event about a thing is always the newest. That is for events
 * that carry what has changed, not for those that begin a reading.
 *
 * @returns {{reading: (work: () => Promise<void>) => Promise<void>, heard: (events: Record<string, (data: any) => void>) =>
 *   Record<string, (data: any) => void>}} `reading` runs what reads and shows a list, `heard` wraps the events for `listen`
 */
export function createCatchUp() {
  let readings = 0;
  let late = [];

  async function reading(work) {
    readings += 1;
    try {
      await work();
    } finally {
      readings -= 1;
      for (const again of late) again();
      if (readings === 0) late = [];
    }
  }

  function heard(events) {
    const remembering = (take) => (data) => {
      if (readings > 0) late.push(() => take(data));
      take(data);
    };
    return Object.fromEntries(Object.entries(events).map(([name, take]) => [name, remembering(take)]));
  }

  return { reading, heard };
}

const SIGNS = {
  connecting: ["pending", "sign--accent", "look.connecting"],
  open: ["sent", "sign--good", "look.live"],
  lost: ["warning", "sign--warn", "look.lost"],
};

/**
 * A small sign that tells whether the page is connected.
 *
 * @param {"connecting" | "open" | "lost"} state
 * @param {import("/look/i18n.js").Words} words
 * @returns {HTMLElement}
 */
export function connectionSign(state, words) {
  const [drawing, kind, key] = SIGNS[state];
  return h(
    "span",
    { "class": `sign ${kind}`, "data-state": state },
    icon(drawing),
    h("span", {}, words.t(key)),
  );
}
