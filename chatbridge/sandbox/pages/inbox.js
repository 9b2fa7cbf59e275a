import { ask } from "/look/dialogs.js";
import { h, icon } from "/look/dom.js";
import { createWords } from "/look/i18n.js";
import { languageSwitch } from "/look/language_switch.js";
import { connectionSign, listen } from "/look/live.js";
import { createNotices } from "/look/notices.js";
import { preview } from "/look/preview.js";
import { createStore } from "/look/store.js";
import lookEn from "/look/texts.en.js";
import lookRu from "/look/texts.ru.js";
import { createChatList } from "/pages/chats.js";
import { createConversation } from "/pages/conversation.js";
import { askedFor, lineToHost } from "/pages/embed.js";
import { createFeed } from "/pages/feed.js";
import { createLog } from "/pages/log.js";
import { createSwitches } from "/pages/switches.js";
import pageEn from "/pages/texts.en.js";
import pageRu from "/pages/texts.ru.js";
import { createWriting } from "/pages/writing.js";

const WIDE = matchMedia("(min-width: 720px)");

const { embedded, scope, language } = askedFor();
const words = createWords(
  [
    { en: lookEn, ru: lookRu },
    { en: pageEn, ru: pageRu },
  ],
  language,
);
const notices = createNotices(words);
const store = createStore({
  connection: "connecting",
  loaded: false,
  accounts: [],
  connections: [],
  chats: [],
  threads: {},
  openId: null,
  selected: null,
  greeted: false,
  userId: null,
  typing: {},
  switches: {},
  drawer: null,
  logLoaded: false,
  logFilter: "all",
  requests: [],
  hooks: [],
});
const feed = createFeed({ store, words, notices, scope });
const writing = createWriting({ store, words, notices, feed });
const sign = h("span", { class: "connection", role: "status" });
const host = lineToHost(words.choose);

const switches = createSwitches({ store, words, onChange: writing.setSwitches });
const log = createLog({ store, words, onFirstOpen: feed.loadLog, onRepeat: writing.repeatHook });
const conversation = createConversation({
  store,
  words,
  notices,
  writing,
  onSelect: select,
  onUser: answerAs,
  onBack: () => feed.open(null),
});
const chatList = createChatList({
  words,
  onOpen: feed.open,
  onWriteFirst: writeFirst,
  tools: embedded ? [sign, ...drawerButtons()] : [],
});
const views = [chatList, conversation, switches, log];

function drawerButtons() {
  switches.button.append(icon("switches"));
  log.button.append(icon("log"));
  return [switches.button, log.button];
}

function topBar() {
  const buttons = drawerButtons();
  buttons[0].append(h("span", { "class": "drawer-button__word", "data-t": "switches" }));
  buttons[1].append(h("span", { "class": "drawer-button__word", "data-t": "log" }));
  return h(
    "header",
    { class: "topbar" },
    h(
      "div",
      { class: "topbar__brand" },
      icon("logo"),
      h("h1", { class: "topbar__name" }, "amoCRM sandbox"),
      h("span", { "class": "topbar__sub", "data-t": "subtitle" }),
    ),
    h("div", { class: "topbar__tools" }, sign, widgets(), buttons, languageSwitch(words)),
  );
}

function widgets() {
  const address = "/accounts/demo/settings/widgets";
  return h("a", { "class": "button button--quiet topbar__link", "href": address, "data-t": "widgets" });
}

function select(message) {
  store.set({ selected: message.key });
  if (message.raw) host.selected(message.raw);
}

/** Whose reactions are one's own changes with the user. */
function answerAs(userId) {
  store.set({ userId });
  feed.repaint();
}

async function writeFirst() {
  const { connections } = store.get();
  if (connections.length === 0) {
    notices.failed(words.t("no_connections"), words.t("no_connections_hint"));
    return;
  }
  const wanted = connections.filter((one) => !scope || one.scope_id === scope);
  const values = await ask(
    {
      title: "write_first",
      submit: "look.send",
      fields: [
        {
          name: "scope_id",
          label: "connection",
          options: wanted.map((one) => [one.scope_id, one.title || one.scope_id]),
        },
        { name: "phone", label: "phone", type: "tel", placeholder: "+79151112233" },
        { name: "name", label: "name" },
        { name: "text", label: "look.type.text" },
      ],
    },
    words,
  );
  if (values) await writing.writeFirst(values);
}

/** Choices that follow from the data: who answers, and which chat is open when there is room for one. */
function settle(state) {
  const chat = state.chats.find((one) => one.id === state.openId);
  const account = state.accounts.find((one) => one.amojo_id === chat?.account_id) ?? state.accounts[0];
  const users = account?.users ?? [];
  if (users.length > 0 && !users.some((one) => one.id === state.userId)) store.set({ userId: users[0].id });
  const fits = WIDE.matches || (embedded && !state.greeted);
  if (state.openId || state.chats.length === 0 || !fits) return;
  store.set({ greeted: true });
  void feed.open(state.chats[0].id);
}

function render(state) {
  settle(state);
  document.body.classList.toggle("inbox--open", state.openId !== null);
  document.body.classList.toggle("inbox--drawer", state.drawer !== null);
  sign.replaceChildren(connectionSign(state.connection, words));
  for (const view of views) view.render(state);
}

function announced(m) {
  if (m.direction === "in")
    notices.announce(
      `${m.author.name}: ${preview({ type: m.type, text: m.text ?? "", fileName: m.file_name ?? "" }, words)}`,
    );
}

function start() {
  document.body.classList.toggle("inbox--embedded", embedded);
  const body = h(
    "div",
    { class: "inbox__body" },
    chatList.element,
    conversation.element,
    switches.element,
    log.element,
  );
  document.body.prepend(...(embedded ? [body] : [topBar(), body]));
  words.apply(document);
  store.subscribe(render);
  words.onChange(feed.repaint);
  document.addEventListener("visibilitychange", feed.markRead);
  const message = (m) => {
    feed.events.message(m);
    announced(m);
  };
  listen("/sandbox/events", {
    events: { ...feed.events, message },
    onOpen: feed.load,
    onState: (connection) => store.set({ connection }),
  });
  host.ready();
}

start();
