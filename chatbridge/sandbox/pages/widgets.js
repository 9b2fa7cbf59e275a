import { call } from "/look/api.js";
import { emptyState } from "/look/dialogs.js";
import { h, icon } from "/look/dom.js";
import { createWords } from "/look/i18n.js";
import { languageSwitch } from "/look/language_switch.js";
import { connectionSign, listen } from "/look/live.js";
import { createNotices } from "/look/notices.js";
import { createStore } from "/look/store.js";
import lookEn from "/look/texts.en.js";
import lookRu from "/look/texts.ru.js";
import pageEn from "/pages/texts.en.js";
import pageRu from "/pages/texts.ru.js";
import { createAdvanced } from "/pages/widget_advanced.js";
import { createCards } from "/pages/widget_cards.js";
import { createCallLog } from "/pages/widget_log.js";
import { createRuntime } from "/pages/widget_runtime.js";
import { createSettings } from "/pages/widget_settings.js";
import { createSources } from "/pages/widget_sources.js";

const [, , subdomain] = location.pathname.split("/");
const base = `/sandbox/accounts/${subdomain}`;
const words = createWords([
  { en: lookEn, ru: lookRu },
  { en: pageEn, ru: pageRu },
]);
const notices = createNotices(words);
const store = createStore({
  connection: "connecting",
  known: null,
  switches: {},
  userId: null,
  area: "widgets",
});

/** The account as the sandbox knows it, and what this page does with it. */
const desk = {
  base,
  words,
  notices,
  state: store.get,
  user: () => store.get().known.account.users.find((one) => one.user_id === store.get().userId),
  integration: (code) => store.get().known.integrations.find((one) => one.code === code),
  learn: (known) => store.set({ known }),
  change: (path, body) => notices.attempt(async () => desk.learn(await call("POST", `${base}${path}`, body))),
  reload,
};
const log = createCallLog(words);
const runtime = createRuntime({ desk, log });
const settings = createSettings({ desk, runtime });
const cards = createCards({
  desk,
  runtime,
  onOpen: (code) => settings.open(code),
  onAdvanced: (code) => go(`advanced/${code}`),
});
const sources = createSources({ desk, runtime, onOpen: settings.open });
const advanced = createAdvanced({ desk, runtime });
const sign = h("div", { class: "connection" });
const users = h("select", {
  "class": "input host__user",
  "data-t-label": "signed_in_as",
  "onchange": signIn,
});
const tabs = h("nav", { class: "segments" }, ["widgets", "pipelines"].map(tab));
const place = h("div", { class: "host__place" });

async function reload() {
  const [known, switches] = await Promise.all([call("GET", base), call("GET", "/sandbox/switches")]);
  const admin = known.account.users.find((one) => one.is_admin) ?? known.account.users[0];
  const here = known.account.users.some((one) => one.user_id === store.get().userId);
  store.set({ known, switches, ...(here ? {} : { userId: admin?.user_id ?? null }) });
}

function tab(name) {
  return h("button", { "type": "button", "data-area": name, "data-t": name, "onclick": () => go(name) });
}

function go(area) {
  location.hash = area;
}

/** What runs for one user, or in one language, does not go on for another. */
function signIn() {
  store.set({ userId: Number(users.value) });
  startAgain();
}

function startAgain() {
  settings.close();
  runtime.leave();
  show();
}

function topBar() {
  return h(
    "header",
    { class: "topbar" },
    h(
      "div",
      { class: "topbar__brand" },
      icon("logo"),
      h("h1", { class: "topbar__name" }, "amoCRM sandbox"),
      h("span", { class: "topbar__sub host__account" }),
    ),
    h(
      "div",
      { class: "topbar__tools" },
      sign,
      h("a", { "class": "button button--quiet host__chats", "href": "/", "data-t": "chats" }),
      users,
      languageSwitch(words),
    ),
  );
}

function views() {
  const { area } = store.get();
  if (area.startsWith("advanced/")) return advanced.view(area.slice("advanced/".length));
  return area === "pipelines" ? sources.view() : cards.view();
}

function show() {
  const { known, area } = store.get();
  if (!known) return;
  document.querySelector(".host__account").textContent =
    `${known.account.name} · ${known.account.subdomain}.${known.account.zone}`;
  users.replaceChildren(...known.account.users.map(userOption));
  users.value = String(store.get().userId);
  for (const one of tabs.children) one.setAttribute("aria-pressed", String(one.dataset.area === area));
  place.replaceChildren(views());
  words.apply(document);
}

function userOption({ user_id, name, is_admin }) {
  return h("option", { value: user_id }, is_admin ? `${name} · ${words.t("administrator")}` : name);
}

function follow() {
  const area = location.hash.slice(1) || "widgets";
  if (area === store.get().area) return;
  settings.close();
  runtime.leave();
  store.set({ area });
}

async function open() {
  try {
    await reload();
    store.set({ connection: "open" });
  } catch {
    place.replaceChildren(emptyState("warning", "look.no_answer", "look.no_answer_hint"));
  }
}

function start() {
  document.body.prepend(topBar(), h("main", { class: "host" }, tabs, place, log.element));
  words.apply(document);
  store.set({ area: location.hash.slice(1) || "widgets" });
  let drawn = {};
  store.subscribe(({ connection, known, area }) => {
    sign.replaceChildren(connectionSign(connection, words));
    const own = area.startsWith("advanced/") && area === drawn.area; // a widget's page is the widget's
    if (own ? drawn.known : known === drawn.known && area === drawn.area) return;
    drawn = { known, area };
    show();
  });
  words.onChange(startAgain);
  window.addEventListener("hashchange", follow);
  listen("/sandbox/events", {
    events: { notice: log.notice, reset: reload, switches: (switches) => store.set({ switches }) },
    onOpen: open,
    onState: (connection) => store.set({ connection }),
  });
}

start();
