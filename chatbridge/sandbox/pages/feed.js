import { call } from "/look/api.js";
import { createCatchUp } from "/look/live.js";
import { replace, upsert } from "/look/thread.js";
import { chatMessage, withChat } from "/pages/model.js";

const TYPING_SHOWN_MS = 5000;
const LOG_ROWS = 500;

/**
 * What comes from the sandbox into the state: lists read at the start and after each reconnect, events in between.
 *
 * @param {object} parts
 * @param {ReturnType<typeof import("/look/store.js").createStore>} parts.store
 * @param {import("/look/i18n.js").Words} parts.words
 * @param {import("/look/notices.js").Notices} parts.notices
 * @param {string | null} parts.scope take this connection's chats only
 */
export function createFeed({ store, words, notices, scope }) {
  const wanted = (chat) => !scope || chat.scope_id === scope;
  const get = (path) => call("GET", `/sandbox/${path}`);
  const { reading, heard } = createCatchUp();

  /** A user's or client's name by id. */
  function nameOf(id) {
    const { accounts, chats } = store.get();
    const people = [...accounts.flatMap((one) => one.users), ...chats.map((one) => one.person)];
    return people.find((one) => one.id === id)?.name || id;
  }

  /** A message as it is drawn; the sandbox's own shape stays with it as `raw`. */
  const drawn = (raw) => ({ ...chatMessage(raw, nameOf, store.get().userId, words), raw });

  function changeThread(chatId, change) {
    const { threads } = store.get();
    store.set({ threads: { ...threads, [chatId]: change(threads[chatId] ?? []) } });
  }

  const load = () => reading(loadAll);
  const loadThread = (chatId) => reading(() => readThread(chatId));
  const loadLog = () => reading(readLog);

  async function loadAll() {
    const answers = await notices.attempt(() => Promise.all(["state", "chats", "switches"].map(get)));
    if (!answers) return;
    const [{ accounts, connections }, { chats }, switches] = answers;
    store.set({ loaded: true, accounts, connections, chats: chats.filter(wanted), switches });
    const { openId, logLoaded } = store.get();
    await Promise.all([openId && loadThread(openId), logLoaded && loadLog()]);
  }

  async function readThread(chatId) {
    const answer = await notices.attempt(() => get(`chats/${chatId}/messages`));
    if (answer) changeThread(chatId, (thread) => replace(thread, answer.messages.map(drawn)));
  }

  async function readLog() {
    const answers = await notices.attempt(() => Promise.all(["requests", "hooks"].map(get)));
    if (answers) store.set({ logLoaded: true, requests: answers[0].requests, hooks: answers[1].hooks });
  }

  async function loadSwitches() {
    const switches = await notices.attempt(() => get("switches"));
    if (switches) store.set({ switches });
  }

  async function open(chatId) {
    store.set({ openId: chatId, selected: null });
    if (chatId) await Promise.all([loadThread(chatId), markRead()]);
  }

  async function markRead() {
    const { openId, chats } = store.get();
    const chat = chats.find((one) => one.id === openId);
    if (!chat?.unread || document.visibilityState !== "visible") return;
    takeChat({ ...chat, unread: 0 });
    await notices.attempt(() => call("POST", `/sandbox/chats/${openId}/read`, {}));
  }

  function takeChat(chat) {
    if (!wanted(chat)) return;
    store.set({ chats: withChat(store.get().chats, chat) });
    if (chat.id === store.get().openId) void markRead();
  }

  function takeMessage(raw) {
    if (raw.direction === "in") store.set({ typing: { ...store.get().typing, [raw.chat_id]: 0 } });
    const renewed = (chat) => (chat.last_message?.id === raw.id ? { ...chat, last_message: raw } : chat);
    store.set({ chats: store.get().chats.map(renewed) });
    if (store.get().threads[raw.chat_id]) changeThread(raw.chat_id, (thread) => upsert(thread, drawn(raw)));
  }

  function takeStatus({ message_id: id, status }) {
    const known = Object.values(store.get().threads)
      .flat()
      .find((one) => one.id === id);
    if (known) takeMessage({ ...known.raw, status });
  }

  function takeRow(name, row) {
    if (!store.get().logLoaded) return;
    const rows = store.get()[name].filter((one) => one.n !== row.n);
    store.set({ [name]: [...rows, row].slice(-LOG_ROWS) });
  }

  function takeTyping({ chat_id: chatId }) {
    store.set({ typing: { ...store.get().typing, [chatId]: Date.now() + TYPING_SHOWN_MS } });
    setTimeout(() => store.set({}), TYPING_SHOWN_MS);
  }

  function forget() {
    store.set({ threads: {}, chats: [], openId: null, selected: null, requests: [], hooks: [] });
    void load();
  }

  /** Words stand in some messages: make them again after another language was chosen. */
  function repaint() {
    const again = (one) => (one.raw ? { ...drawn(one.raw), key: one.key } : one);
    const threads = Object.entries(store.get().threads).map(([chatId, thread]) => [
      chatId,
      thread.map(again),
    ]);
    store.set({ threads: Object.fromEntries(threads) });
  }

  return {
    nameOf,
    drawn,
    changeThread,
    load,
    loadLog,
    loadSwitches,
    open,
    markRead,
    takeChat,
    repaint,
    events: {
      ...heard({
        chat: takeChat,
        message: takeMessage,
        reaction: takeMessage,
        status: takeStatus,
        request: (row) => takeRow("requests", row),
        hook: (row) => takeRow("hooks", row),
      }),
      typing: takeTyping,
      switches: loadSwitches,
      reset: forget,
    },
  };
}
