import { h, icon } from "/look/dom.js";
import { createWords } from "/look/i18n.js";
import { languageSwitch } from "/look/language_switch.js";
import lookEn from "/look/texts.en.js";
import lookRu from "/look/texts.ru.js";
import pageEn from "/demo/pages/texts.en.js";
import pageRu from "/demo/pages/texts.ru.js";

const GOODS = [
  ["boots", 89],
  ["backpack", 64],
  ["tent", 149],
];

const words = createWords([
  { en: lookEn, ru: lookRu },
  { en: pageEn, ru: pageRu },
]);

function topBar(inbox) {
  return h(
    "header",
    { class: "topbar" },
    h("div", { class: "topbar__brand" }, icon("logo"), h("h1", { "class": "topbar__name", "data-t": "shop.name" })),
    h(
      "nav",
      { class: "topbar__tools" },
      h(
        "a",
        { "class": "button button--quiet topbar__link", "href": inbox, "target": "_blank", "rel": "noopener", "data-t-label": "shop.inbox" },
        icon("in"),
        h("span", { "data-t": "shop.inbox" }),
      ),
      languageSwitch(words),
    ),
  );
}

/** What the script in the page's head offers; it may not be there yet. */
function chat(...call) {
  const known = (window.chatbridge = window.chatbridge || { q: [] });
  if (known.q) known.q.push(call);
  else known[call[0]](...call.slice(1));
}

function page() {
  return h(
    "main",
    { class: "shop__page" },
    h(
      "section",
      { class: "shop__lead" },
      h("h2", { "data-t": "shop.title" }),
      h("p", { "data-t": "shop.about" }),
      h("button", {
        "type": "button",
        "class": "button button--main",
        "data-t": "shop.ask",
        "onclick": () => chat("open"),
      }),
    ),
    h(
      "ul",
      { class: "goods" },
      ...GOODS.map(([name, price]) =>
        h(
          "li",
          {},
          h("img", { class: "goods__picture", src: `/demo/pages/goods/${name}.svg`, alt: "" }),
          h("strong", { "data-t": `shop.${name}` }),
          h("span", {}, `$${price}`),
        ),
      ),
    ),
  );
}

const { sandbox_port: port } = await (await fetch("/demo/config")).json();
document.body.append(topBar(`${location.protocol}//${location.hostname}:${port}/`), page());
words.apply(document);
