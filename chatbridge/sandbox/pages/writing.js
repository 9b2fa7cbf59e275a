import { call, upload } from "/look/api.js";
import { mediaSeconds, typeOf } from "/look/files.js";
import { quoteFrom, quotingMember } from "/look/quotes.js";
import { sendShown } from "/look/sending.js";

const TYPING_EVERY_MS = 5000;

/**
 * What the operator and the developer do: calls of the control API.
 *
 * @param {object} parts
 * @param {ReturnType<typeof import("/look/store.js").createStore>} parts.store
 * @param {import("/look/i18n.js").Words} parts.words
 * @param {import("/look/notices.js").Notices} parts.notices
 * @param {ReturnType<typeof import("/pages/feed.js").createFeed>} parts.feed
 */
export function createWriting({ store, words, notices, feed }) {
  let typedAt = 0;

  /**
   * `context` is what is answered or passed on. `prepare` runs before each try and adds what the server needs, such as
   * the address of an uploaded file.
   */
  function send(content, context, prepare = async () => ({})) {
    const { openId: chatId, userId } = store.get();
    typedAt = 0;
    const { media, fileName, fileSize, ...plain } = content;
    return sendShown(
      { ...content, author: feed.nameOf(userId), quote: quoteFrom(context) },
      {
        words,
        notices,
        change: (change) => feed.changeThread(chatId, change),
        work: async () => {
          const message = { ...plain, ...quotingMember(context), ...(await prepare()) };
          const body = { user_id: userId, message };
          const answer = await call("POST", `/sandbox/chats/${chatId}/messages`, body);
          tell(answer.hook);
          return feed.drawn(answer.message);
        },
      },
    );
  }

  function tell(hook) {
    if (hook?.error)
      notices.failed(words.t("hook_not_taken", { error: hook.error }), words.t("hook_not_taken_hint"));
  }

  function sendFile(file, context) {
    const type = typeOf(file);
    const content = { type, media: URL.createObjectURL(file), fileName: file.name, fileSize: file.size };
    return send(content, context, async () => {
      const seconds = type === "audio" || type === "video" ? await mediaSeconds(file) : 0;
      const stored = await upload("/sandbox/media", file);
      const media = new URL(stored.url, location.href).href;
      return {
        media,
        file_name: stored.file_name,
        file_size: stored.file_size,
        ...(seconds && { media_duration: seconds }),
      };
    });
  }

  async function typing() {
    const { openId, userId } = store.get();
    if (Date.now() - typedAt < TYPING_EVERY_MS) return;
    typedAt = Date.now();
    await notices.attempt(() => call("POST", `/sandbox/chats/${openId}/typing`, { user_id: userId }));
  }

  async function react(message, emoji) {
    const { userId } = store.get();
    const given = message.raw.reactions.some((one) => one.user === userId && one.emoji === emoji);
    const body = { type: given ? "unreact" : "react", emoji, user_id: userId };
    const answer = await notices.attempt(() =>
      call("POST", `/sandbox/messages/${message.id}/reaction`, body),
    );
    tell(answer?.hook);
  }

  async function writeFirst({ scope_id, phone, name, text }) {
    const body = { scope_id, phone, name, user_id: store.get().userId, message: { type: "text", text } };
    const answer = await notices.attempt(() => call("POST", "/sandbox/chats", body));
    if (!answer) return;
    feed.takeChat(answer.chat);
    tell(answer.hook);
    await feed.open(answer.chat.id);
  }

  async function setSwitches(values) {
    await notices.attempt(() => call("PATCH", "/sandbox/switches", values));
    await feed.loadSwitches();
  }

  async function repeatHook(n) {
    const answer = await notices.attempt(() => call("POST", `/sandbox/hooks/${n}/repeat`, {}));
    if (!answer) return;
    if (answer.hook.error) tell(answer.hook);
    else notices.done(words.t("hook_repeated", { number: n, status: answer.hook.status }));
  }

  return { send, sendFile, typing, react, writeFirst, setSwitches, repeatHook };
}
