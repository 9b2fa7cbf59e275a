import { h, icon } from "/look/dom.js";
import { createWords } from "/look/i18n.js";
import { languageSwitch } from "/look/language_switch.js";
import { connectionSign, listen } from "/look/live.js";
import { createNotices } from "/look/notices.js";
import { preview } from "/look/preview.js";
import { createStore } from "/look/store.js";
import lookEn from "/look/texts.en.js";
import lookRu from "/look/texts.ru.js";
import { openAbout } from "/demo/pages/about.js";
import { createMessenger } from "/demo/pages/messenger.js";
import { chatMessage } from "/demo/pages/model.js";
import { createOperator } from "/demo/pages/operator.js";
import { createPath } from "/demo/pages/path.js";
import { createPhone } from "/demo/pages/phone.js";
import { createTabs } from "/demo/pages/tabs.js";
import pageEn from "/demo/pages/texts.en.js";
import pageRu from "/demo/pages/texts.ru.js";
import { createTracking } from "/demo/pages/tracking.js";

const words = createWords([
  { en: lookEn, ru: lookRu },
  { en: pageEn, ru: pageRu },
]);
const notices = createNotices(words);
const store = createStore({
  connection: "connecting",
  loaded: false,
  config: null,
  messages: [],
  blocked: false,
  chosen: null,
  refused: null,
  tracked: null,
  timeline: null,
  typingUntil: 0,
  part: "phone_side",
});
const messenger = createMessenger({ store, words, notices });
const tracking = createTracking(store);

const phone = createPhone({
  words,
  notices,
  messenger,
  onSelect: (message) => tracking.choose([message.id], message.key),
});
const operator = createOperator({ words, onSelected });
const path = createPath({ words, onNewest: tracking.chooseNewest });
const phoneSide = h("section", { "class": "phone-side", "data-t-label": "phone_side" }, phone.element);
const tabs = createTabs({
  store,
  panels: [
    ["phone_side", phoneSide],
    ["operator_side", operator.element],
    ["path_side", path.element],
  ],
});
const sign = h("span", { class: "connection", role: "status" });
const links = { shop: link("chat", "website"), docs: link("docs", "api_docs"), metrics: link("metrics", "metrics") };
links.shop.href = "/shop";

/** The operator clicked a message: its bubble on the phone is known by the id of either side. */
function onSelected({ id, client_id }) {
  const bubble = store.get().messages.find((one) => one.id && (one.id === client_id || one.id === id));
  tracking.choose([client_id, id], bubble?.key ?? id);
}

function link(drawing, label) {
  return h(
    "a",
    {
      "class": "button button--quiet topbar__link",
      "data-t-label": label,
      "target": "_blank",
      "rel": "noopener",
    },
    icon(drawing),
    h("span", { "data-t": label }),
  );
}

function topBar() {
  const about = h(
    "button",
    {
      "type": "button",
      "class": "button button--quiet topbar__link",
      "data-t-label": "about",
      "onclick": () => openAbout(words),
    },
    icon("info"),
    h("span", { "data-t": "about" }),
  );
  return h(
    "header",
    { class: "topbar" },
    h(
      "div",
      { class: "topbar__brand" },
      icon("logo"),
      h("h1", { class: "topbar__name" }, "chatbridge"),
      h("span", { "class": "topbar__sub", "data-t": "subtitle" }),
    ),
    h(
      "nav",
      { class: "topbar__tools" },
      sign,
      about,
      links.shop,
      links.docs,
      links.metrics,
      languageSwitch(words),
    ),
  );
}

function render(state) {
  tracking.follow(state);
  if (state.config) {
    links.docs.href = state.config.bridge.docs;
    links.metrics.href = state.config.bridge.metrics;
  }
  sign.replaceChildren(connectionSign(state.connection, words));
  for (const view of [phone, operator, path, tabs]) view.render(state);
}

function takeMessage(p) {
  const known = store.get().messages.some((one) => one.id === p.id);
  messenger.events.message(p);
  if (p.direction === "out" && !known)
    notices.announce(`${p.author || words.t("shop")}: ${preview(chatMessage(p), words)}`);
}

function start() {
  document.body.prepend(
    topBar(),
    tabs.element,
    h("main", { class: "demo__parts" }, phoneSide, operator.element, path.element),
  );
  words.apply(document);
  store.subscribe(render);
  words.onChange(() => store.set({}));
  listen("/demo/events", {
    events: { ...messenger.events, ...tracking.events, message: takeMessage },
    onOpen: () => {
      void messenger.load();
      void tracking.read();
    },
    onState: (connection) => store.set({ connection }),
  });
}

start();
