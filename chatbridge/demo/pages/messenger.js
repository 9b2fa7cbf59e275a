import { call, upload } from "/look/api.js";
import { mediaSeconds, typeOf } from "/look/files.js";
import { createCatchUp } from "/look/live.js";
import { quoteFrom, quotingMember } from "/look/quotes.js";
import { sendShown } from "/look/sending.js";
import { replace, upsert } from "/look/thread.js";
import { chatMessage } from "/demo/pages/model.js";

const TYPING_SHOWN_MS = 6000;
const TYPING_EVERY_MS = 5000;
const WITH_LENGTH = ["audio", "voice", "video"];

/**
 * The client's messenger: reading and sending through the demo's own backend.
 *
 * @param {object} parts
 * @param {ReturnType<typeof import("/look/store.js").createStore>} parts.store
 * @param {import("/look/i18n.js").Words} parts.words
 * @param {import("/look/notices.js").Notices} parts.notices
 */
export function createMessenger({ store, words, notices }) {
  const change = (work) => store.set({ messages: work(store.get().messages) });
  const drawn = (p) => chatMessage(p, store.get().config?.client.id);
  const { reading, heard } = createCatchUp();
  let typedAt = 0;

  async function loadAll() {
    const answers = await notices.attempt(() =>
      Promise.all([call("GET", "/demo/config"), call("GET", "/demo/messages")]),
    );
    if (!answers) return;
    const [config, { messages, blocked }] = answers;
    store.set({ config: store.get().config ?? config, blocked, loaded: true });
    change((all) => replace(all, messages.map(drawn)));
    void see();
  }

  /**
   * `context` is what is answered or passed on. `prepare` runs before each try and adds what the server needs, such as
   * the address of an uploaded file.
   */
  function send(content, context, prepare = async () => ({})) {
    typedAt = 0;
    const { type, text, location, contact } = content;
    const plain = { type, text, location, contact, ...quotingMember(context) };
    const work = async () => drawn(await call("POST", "/demo/messages", { ...plain, ...(await prepare()) }));
    return sendShown({ ...content, quote: quoteFrom(context) }, { change, work, words, notices });
  }

  /** Null if it was not changed; why was told. */
  function edit({ id }, text) {
    return notices.attempt(async () => {
      await call("PATCH", `/demo/messages/${id}`, { text });
      return id;
    });
  }

  function sendFile(file, context, { type = typeOf(file), seconds } = {}) {
    const content = {
      type,
      media: URL.createObjectURL(file),
      fileName: file.name,
      fileSize: file.size,
      duration: seconds ?? 0,
    };
    return send(content, context, async () => {
      const duration = seconds ?? (WITH_LENGTH.includes(type) ? await mediaSeconds(file) : 0);
      const { media_url, file_name, file_size } = await upload("/demo/files", file);
      return { media_url, file_name, file_size, ...(duration && { duration }) };
    });
  }

  function sendSticker(address, context) {
    const media = new URL(address, location.href).href;
    return send({ type: "sticker", media }, context, async () => ({ media_url: media }));
  }

  async function react(message, emoji) {
    const given = message.reactions.some((one) => one.own && one.emoji === emoji);
    const body = { emoji: given ? null : emoji };
    await notices.attempt(() => call("POST", `/demo/messages/${message.id}/reactions`, body));
  }

  async function block(blocked) {
    await notices.attempt(() => call("POST", "/demo/blocked", { blocked }));
  }

  async function typing() {
    if (Date.now() - typedAt < TYPING_EVERY_MS) return;
    typedAt = Date.now();
    await notices.attempt(() => call("POST", "/demo/typing", {}));
  }

  /** The client has seen what the screen shows; amoCRM draws the second mark. */
  async function see() {
    if (document.visibilityState !== "visible") return;
    if (!store.get().messages.some((one) => one.unseen)) return;
    change((all) => all.map((one) => (one.unseen ? { ...one, unseen: false } : one)));
    await notices.attempt(() => call("POST", "/demo/seen", {}));
  }

  function takeTyping() {
    store.set({ typingUntil: Date.now() + TYPING_SHOWN_MS });
    setTimeout(() => store.set({}), TYPING_SHOWN_MS);
  }

  function takeMessage(p) {
    if (p.direction === "out") store.set({ typingUntil: 0 });
    change((all) => upsert(all, drawn(p)));
    void see();
  }

  document.addEventListener("visibilitychange", () => void see());

  return {
    load: () => reading(loadAll),
    send,
    sendFile,
    sendSticker,
    edit,
    react,
    block,
    typing,
    events: {
      ...heard({ message: takeMessage, blocked: ({ blocked }) => store.set({ blocked }) }),
      typing: takeTyping,
    },
  };
}
