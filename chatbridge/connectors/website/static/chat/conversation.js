import { createConnection, waitAfter } from "./connection.js";
import { createLauncher } from "./launcher.js";
import { createOutbox } from "./outbox.js";
import { ring } from "./sound.js";
import { fromOperator, unread, withEvents } from "./store.js";
import { createUploads } from "./uploads.js";
import { createVisit } from "./visit.js";
import { chooseLanguage, createWords } from "./words.js";

const FRAME_MS = 16;
const MORE_AT_LEAST = 50; // events that the server sends at once
const KNOWN = ["name", "phone", "email"];

/**
 * One visitor's conversation: what arrives changes the store, what the store holds is drawn. The panel is loaded when it may soon
 * be wanted, and made when it is; all else goes on without.
 *
 * @param {object} options
 * @param {HTMLScriptElement} options.script the tag in the page
 * @param {string} options.address of the messenger's chat
 * @param {ReturnType<typeof import("./store.js").createStore>} options.store
 * @param {object} options.settings
 * @param {(attempt: number) => Promise<Function>} options.loadPanel
 * @returns {{open: () => void, close: () => void, identify: (profile: object) => void}}
 */
export function createConversation({ script, address, store, settings, loadPanel }) {
  const page = "page" in script.dataset;
  const language = chooseLanguage([
    settings.language,
    script.dataset.language,
    document.documentElement.lang,
    navigator.language,
  ]);
  const t = createWords(language);
  const look = { t, language, origin: new URL(address).origin };
  const describe = createVisit(`${store.key}:visit`, (about) => connection.send({ type: "page", ...about }));
  const connection = createConnection({
    address: `${address.replace("http", "ws")}/socket`,
    greet,
    onFrame: (frame) => FRAMES[frame.type]?.(frame),
    onState,
  });
  const outbox = createOutbox({ store, send: connection.send });
  const uploads = createUploads({
    address: `${address}/files`,
    session: () => connection.state() === "ready" && store.get().session,
    onChange: schedule,
    onDone: outbox.add,
  });
  const launcher = createLauncher(look, settings, page, {
    onPress: () => open(!isOpen()),
    onNear: prepare,
  });
  /** What the panel is given; renewal.js says which of it may never change. */
  const core = {
    script,
    settings,
    page,
    look,
    launcher,
    store,
    connection,
    outbox,
    uploads,
    open,
    introduce,
    mark,
    schedule,
    end,
  };

  let panel = null;
  let coming = null;
  let attempts = 0;
  let isWanted = false;
  let isMissing = false;
  let visitor = null; // whom the connection is for
  let caughtUp = true;
  let upTo = 0; // what the server had when it began to bring this page up to date
  let late = []; // events of a page that is being brought up to date
  let told = {};
  let more = true;
  let trouble = null;
  let typist = null;
  let typingUntil = 0;
  let drawing = 0;

  const FRAMES = {
    welcome({ session, position, reset }) {
      late = [];
      upTo = position;
      caughtUp = false;
      more = true;
      store.change((state) => ({ ...(reset && forgotten(state, position)), session }));
      visitor = store.get().visitor;
    },
    ready() {
      caughtUp = true;
      take(late, upTo);
    },
    message: arrive,
    reaction: arrive,
    accepted: outbox.accepted,
    refused: outbox.refused,
    typing({ name, milliseconds }) {
      showTypist(name || t("operator"));
      typingUntil = setTimeout(showTypist, milliseconds, null);
    },
    history(answer) {
      more = answer.more;
      store.change((state) => withEvents(state, answer.events));
    },
  };

  function greet() {
    store.refresh();
    const { session, position, profile } = store.get();
    const now = new Date().toISOString();
    return { type: "hello", session, after: position || null, language, page: describe(), profile, now };
  }

  /** The server begins anew; what the visitor wrote and it does not have yet stays. */
  function forgotten({ read, outbox: items }, position) {
    const waiting = items.filter((item) => !item.position);
    return {
      visitor: `${Date.now()} ${Math.random()}`,
      position: 0,
      read: Math.min(read, position),
      events: [],
      outbox: waiting,
    };
  }

  function arrive(event) {
    if (caughtUp) take([event]);
    else late.push(event);
  }

  function take(events, position) {
    store.refresh();
    const before = store.get().position;
    store.change((state) => withEvents(state, events, position));
    const news = events.filter((event) => fromOperator(event) && event.position > before);
    if (news.length) showTypist(null);
    if (news.length && !isWatched() && !store.get().muted) ring();
    schedule();
  }

  function showTypist(name) {
    clearTimeout(typingUntil);
    typist = name;
    schedule();
  }

  function onState(state, code) {
    if (state === "ready") {
      trouble = null;
      told = {};
      outbox.restart();
      uploads.pump();
    } else if (state === "waiting") trouble = code === 4400 ? "broken" : "offline";
    else trouble ??= "connecting";
    schedule();
  }

  const isOpen = () => Boolean(panel?.isOpen());
  const isWatched = () => isOpen() && !document.hidden;

  /** Tell what has arrived and what was seen, once for each connection. */
  function mark() {
    const { position, read } = store.get();
    const seen = isWatched() ? panel.seen() : 0;
    if (seen > read) store.change(() => ({ read: seen }));
    tell("received", position);
    tell("read", store.get().read);
  }

  function tell(type, position) {
    if (position > (told[type] ?? 0) && connection.send({ type, position })) told[type] = position;
  }

  function schedule() {
    drawing ||= setTimeout(draw, FRAME_MS);
  }

  function draw() {
    drawing = 0;
    const state = store.get();
    if (visitor !== null && state.visitor !== visitor) {
      visitor = null; // another page of the visitor was told to begin anew
      connection.again();
    }
    if (state.session) connection.begin();
    launcher.update({
      state: connection.state(),
      unread: unread(state),
      isOpen: isOpen(),
      isAwaited: isWanted && !panel && !isMissing,
      isMissing,
    });
    panel?.update({ ...state, trouble, typist, more: more && state.events.length >= MORE_AT_LEAST });
    mark();
  }

  function open(now = true) {
    isWanted = now;
    isMissing = false;
    if (panel) unfold();
    else if (now) prepare().then(make);
    schedule();
  }

  function prepare() {
    coming ??= loadPanel(attempts++).catch(() => (coming = null));
    return coming;
  }

  /** The panel of another version is undefined: it has begun to take our place. */
  function make(createPanel) {
    if (!createPanel) miss();
    else if (isWanted && panel === null) panel = createPanel(core);
    if (!panel) return;
    draw();
    unfold();
  }

  function unfold() {
    if (isWanted) connection.begin();
    panel.open(isWanted);
    schedule();
  }

  /** The next press is the next attempt; a page that is nothing but the chat has nothing to press. */
  function miss() {
    isMissing = isWanted;
    if (page) setTimeout(open, waitAfter(0, attempts, Math.random()));
    schedule();
  }

  /** Another version of us takes over. */
  function end() {
    connection.end();
    launcher.remove();
  }

  /** What is known of the visitor goes with the next hello, and at once if there is a connection. */
  function introduce(about) {
    const known = KNOWN.filter((name) => typeof about[name] === "string");
    const said = Object.fromEntries(known.map((name) => [name, about[name]]));
    store.change(({ profile }) => ({
      asked: true,
      profile: known.length ? { name: null, phone: null, email: null, ...profile, ...said } : profile,
    }));
    if (known.length) connection.send({ type: "profile", ...store.get().profile });
  }

  store.listen(schedule);
  document.addEventListener("visibilitychange", () => {
    outbox.pump();
    mark();
  });
  if (page) open();
  else if (store.get().session) (window.requestIdleCallback ?? setTimeout)(prepare);
  schedule();
  return { open, close: () => open(false), identify: introduce };
}
