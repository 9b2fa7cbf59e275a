import { bodyOf, face } from "./bodies.js";
import { h, icon, iconButton, link, webAddress } from "./dom.js";

const NEAR_THE_END_PX = 48;
const MARKS = { sending: "pending", waiting: "pending", sent: "sent", failed: "failed" };

/**
 * The conversation: days, bubbles, what is on its way. It stays at the newest message unless the reader has scrolled up.
 *
 * @param {object} look see bodies.js
 * @param {object} actions
 * @param {() => void} actions.onEarlier
 * @param {() => void} actions.onScroll
 * @param {(id: string) => void} actions.onAgain
 * @param {(id: string) => void} actions.onRemove
 * @param {(text: string) => void} actions.onButton
 */
export function createList(look, actions) {
  const { t, language } = look;
  const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const fullTime = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "medium", hourCycle: "h23" });
  const day = new Intl.DateTimeFormat(language, { day: "numeric", month: "long" });
  const earlier = h("li", {}, h("button", { type: "button", class: "earlier", onclick: actions.onEarlier }, t("earlier")));
  const list = h("ol", { "role": "log", "aria-live": "polite", "aria-label": t("messages") });
  const typing = h("p", { class: "typing", hidden: true });
  const box = h("div", { class: "scroll", tabindex: "-1", onscroll: scrolled }, list, typing);
  const newest = iconButton("down", t("newest"), { class: "newest", hidden: true, onclick: toEnd });
  let drawn = new Map();
  let following = true;
  let place = 0;

  /** Only the reader scrolls up; content that grows leaves the place where it was. */
  function scrolled() {
    const near = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_THE_END_PX;
    if (near || box.scrollTop < place) follow(near);
    place = box.scrollTop;
    actions.onScroll();
  }

  function follow(now) {
    following = now;
    newest.hidden = now;
  }

  function toEnd() {
    box.scrollTop = box.scrollHeight;
    follow(true);
  }

  /**
   * @param {import("./timeline.js").Shown[]} messages
   * @param {{more: boolean, typist: string | null, greeting: string}} about
   */
  function update(messages, { more, typist, greeting }) {
    const height = box.scrollHeight;
    const first = list.querySelector("[data-id]")?.dataset.id;
    const next = new Map();
    const nodes = [...(more ? [earlier] : []), ...(greeting && !more ? [drawGreeting(greeting, next)] : [])];
    const lastOwn = messages.findLast((one) => one.own)?.id;
    messages.forEach((message, index) => {
      const before = messages[index - 1];
      const today = dayName(message.at);
      if (!before || dayName(before.at) !== today) nodes.push(keep(`day ${today}`, today, next, () => h("li", { class: "day" }, today)));
      const begins = !before || before.own !== message.own || before.name !== message.name;
      const worded = message.id === lastOwn;
      const version = JSON.stringify([message, begins, worded]);
      nodes.push(keep(message.id, version, next, () => draw(message, begins, worded)));
    });
    arrange(nodes);
    drawn = next;
    typing.hidden = typist === null;
    if (typist !== null && typing.dataset.name !== typist) {
      typing.dataset.name = typist;
      typing.replaceChildren(h("i"), h("i"), h("i"), t("typing", { name: typist }));
    }
    if (following || MARKS[messages.at(-1)?.state] === "pending") toEnd();
    else if (messages[0]?.id !== first) box.scrollTop += box.scrollHeight - height;
  }

  /** The node drawn before, when nothing about it has changed: a playing sound plays on, the focus stays. */
  function keep(key, version, next, make) {
    const old = drawn.get(key);
    const entry = old?.version === version ? old : { version, node: make() };
    next.set(key, entry);
    return entry.node;
  }

  function arrange(nodes) {
    const wanted = new Set(nodes);
    for (const node of [...list.children]) if (!wanted.has(node)) node.remove();
    nodes.forEach((node, index) => {
      if (list.children[index] !== node) list.insertBefore(node, list.children[index] ?? null);
    });
  }

  const drawGreeting = (text, next) =>
    keep("greeting", text, next, () => h("li", { class: "message" }, h("div", { class: "bubble" }, h("p", { class: "text" }, text))));

  function draw(message, begins, worded) {
    const { id, own, name, state, reactions, kind } = message;
    return h(
      "li",
      { "class": `message${own ? " own" : ""}${begins ? " begins" : ""}`, "data-id": id, "data-kind": kind, "data-state": state },
      begins && !own && name && h("p", { class: "author" }, portrait(message), name),
      h("div", { class: "bubble" }, quote(message), bodyOf(message, look), meta(message, worded)),
      reactions.length > 0 && h("p", { class: "reactions" }, reactions.map((emoji) => h("span", {}, emoji))),
      buttons(message),
      state === "failed" && h("p", { class: "failed" }, small("again", () => actions.onAgain(id)), small("remove", () => actions.onRemove(id))),
    );
  }

  const small = (word, onclick) => h("button", { type: "button", class: "small", onclick }, t(word));

  function portrait({ name, avatar_url: address }) {
    const src = webAddress(address);
    const ours = src && new URL(src).origin === look.origin;
    return face(name, ...(ours ? [h("img", { src, alt: "" })] : []));
  }

  function quote({ quote: said }) {
    if (!said) return null;
    const name = said.own ? t("you") : said.name || t("operator");
    return h("blockquote", {}, h("b", {}, name), said.text || said.file?.name || t(said.kind));
  }

  function meta({ at, state }, worded) {
    const date = new Date(at);
    const time = h("time", { datetime: at, title: fullTime.format(date) }, clock.format(date));
    if (!state) return h("p", { class: "meta" }, time);
    const word = h("span", { class: worded || state !== "sent" ? "" : "unseen" }, t(state));
    return h("p", { class: "meta" }, time, h("span", { class: "mark" }, icon(MARKS[state]), word));
  }

  const buttons = ({ buttons: rows }) =>
    rows?.length > 0 && h("div", { class: "buttons" }, rows.map((row) => h("div", {}, row.map(button))));

  function button({ text, url }) {
    if (url === null) return h("button", { type: "button", class: "small", onclick: () => actions.onButton(text) }, text);
    const href = webAddress(url);
    return href ? link(href, { class: "small" }, text) : h("span", { class: "small" }, text);
  }

  function dayName(at) {
    const date = new Date(at).toDateString();
    if (date === new Date().toDateString()) return t("today");
    if (date === new Date(Date.now() - 86_400_000).toDateString()) return t("yesterday");
    return day.format(new Date(at));
  }

  /** The position of the newest operator's message that can be seen to its end; 0 if there is none. */
  function seen(messages) {
    const edge = box.scrollTop + box.clientHeight;
    const inView = ({ own, position, id }) => {
      const node = !own && position && drawn.get(id)?.node;
      return node && node.offsetTop + node.offsetHeight <= edge + 1;
    };
    return box.clientHeight && (messages.findLast(inView)?.position ?? 0);
  }

  // A picture grows when it has loaded, and the box changes with the window.
  const sizes = new ResizeObserver(() => following && toEnd());
  for (const one of [box, list]) sizes.observe(one);
  return { element: h("div", { class: "messages" }, box, newest), update, seen, toEnd };
}
