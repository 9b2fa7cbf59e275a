import { fileSize } from "./bodies.js";
import { createConnection } from "./connection.js";
import { isAsked } from "./form.js";
import { createOutbox } from "./outbox.js";
import { ring } from "./sound.js";
import { withEvents } from "./store.js";
import { fromOperator, timeline, unread } from "./timeline.js";
import { createUploads } from "./uploads.js";
import { createView } from "./view.js";
import { createVisit } from "./visit.js";
import { chooseLanguage, createWords } from "./words.js";

const FRAME_MS = 16;
const TYPING_EVERY_MS = 3_000;
const MORE_AT_LEAST = 50; // events that the server sends at once
const KNOWN = ["name", "phone", "email"];

/**
 * One visitor's conversation: what arrives changes the store, what the store holds is drawn.
 *
 * @param {object} options
 * @param {string} options.address of the messenger's chat
 * @param {ReturnType<typeof import("./store.js").createStore>} options.store
 * @param {object} options.settings
 * @param {Array<string | undefined>} options.wanted languages
 * @param {boolean} options.page the page is nothing but the chat
 * @returns {{open: () => void, close: () => void, identify: (profile: object) => void}}
 */
export function createConversation({ address, store, settings, wanted, page }) {
  const language = chooseLanguage(wanted);
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
  const view = createView(look, settings, page, {
    onOpen: open,
    onForm: (profile) => introduce(profile),
    onMute: () => store.change(({ muted }) => ({ muted: !muted })),
    onSend: (text) => say({ text }),
    onButton: (text) => say({ text, button: text }),
    onFiles: attach,
    onInput: type,
    onEarlier: () => connection.send({ type: "history", before: store.get().events[0].position }),
    onScroll: mark,
    onAgain: (id) => (uploads.has(id) ? uploads : outbox).again(id),
    onRemove: (id) => (uploads.has(id) ? uploads : outbox).remove(id),
  });

  let visitor = null; // whom the connection is for
  let caughtUp = true;
  let upTo = 0; // what the server had when it began to bring this page up to date
  let late = []; // events of a page that is being brought up to date
  let told = {};
  let more = true;
  let trouble = null;
  let problem = "";
  let typist = null;
  let typingUntil = 0;
  let typedAt = 0;
  let shown = [];
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

  const isWatched = () => view.isOpen() && !document.hidden;

  /** Tell what has arrived and what was seen, once for each connection. */
  function mark() {
    const { position, read } = store.get();
    const seen = isWatched() ? view.seen(shown) : 0;
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
    shown = timeline(state, uploads.items(), connection.state() === "ready");
    view.update({
      ...state,
      state: connection.state(),
      messages: shown,
      unread: unread(state),
      asked: isAsked(settings.form, state) && !shown.length,
      trouble,
      problem,
      typist,
      more: more && state.events.length >= MORE_AT_LEAST,
    });
    mark();
  }

  function open(now = true) {
    if (now) connection.begin();
    view.open(now);
    schedule();
  }

  function say(content) {
    problem = "";
    outbox.add(content);
  }

  function attach(files) {
    const limit = settings.max_bytes;
    const big = [...files].find(({ size }) => size > limit);
    problem = big ? t("too_big", { name: big.name, size: fileSize(limit, language) }) : "";
    for (const file of files) if (file.size <= limit) uploads.add(file);
    schedule();
  }

  function type() {
    if (Date.now() - typedAt < TYPING_EVERY_MS) return;
    typedAt = Date.now();
    connection.send({ type: "typing" });
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
  schedule();
  return { open, close: () => open(false), identify: introduce };
}
