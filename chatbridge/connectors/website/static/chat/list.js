import { createBubbles } from "./bubbles.js";
import { h, iconButton } from "./dom.js";

const NEAR_THE_END_PX = 48;

/**
 * The conversation: days, bubbles, what is on its way. It stays at the newest message unless the reader has scrolled up.
 *
 * @param {object} look see bodies.js
 * @param {object} actions see bubbles.js, and
 * @param {() => void} actions.onEarlier
 * @param {() => void} actions.onScroll
 */
export function createList(look, actions) {
  const { t, language } = look;
  const draw = createBubbles(look, actions);
  const longDay = new Intl.DateTimeFormat(language, { dateStyle: "long" });
  const earlier = h(
    "li",
    {},
    h("button", { type: "button", class: "earlier", onclick: actions.onEarlier }, t("earlier")),
  );
  const list = h("ol", { "role": "log", "aria-live": "polite", "aria-label": t("messages") });
  const typing = h("p", { class: "typing", hidden: true });
  const box = h("div", { class: "scroll", tabindex: "-1", onscroll: scrolled }, list, typing);
  const newest = iconButton("down", t("newest"), { class: "newest", hidden: true, onclick: leadToEnd });
  let drawn = new Map();
  let following = true;
  let place = 0;
  let last;

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

  /** The button goes, and the focus must not go with it. */
  function leadToEnd() {
    toEnd();
    box.focus();
  }

  /**
   * Draw what has changed.
   *
   * @param {import("./timeline.js").Shown[]} messages
   * @param {{more: boolean, typist: string | null, greeting: string}} about
   */
  function update(messages, { more, typist, greeting }) {
    const height = box.scrollHeight;
    const first = list.querySelector("[data-id]")?.dataset.id;
    const next = new Map();
    const nodes = [...(more ? [earlier] : []), ...(greeting && !more ? [drawGreeting(greeting, next)] : [])];
    const lastOwn = messages.findLast((one) => one.own)?.id;
    let [before, dayBefore] = [null, ""];
    for (const message of messages) {
      const day = dayName(message.at);
      if (day !== dayBefore) nodes.push(drawDay(day, next));
      const begins = !before || before.own !== message.own || before.name !== message.name;
      const worded = message.id === lastOwn;
      const version = JSON.stringify([message, begins, worded]);
      nodes.push(keep(message.id, version, next, () => draw(message, begins, worded)));
      [before, dayBefore] = [message, day];
    }
    arrange(nodes);
    drawn = next;
    typing.hidden = typist === null;
    if (typist !== null && typing.dataset.name !== typist) {
      typing.dataset.name = typist;
      typing.replaceChildren(h("i"), h("i"), h("i"), t("typing", { name: typist }));
    }
    const justWritten = before?.own && before.id !== last;
    last = before?.id;
    if (following || justWritten) toEnd();
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

  const drawDay = (day, next) => keep(day, day, next, () => h("li", { class: "day" }, day));

  const drawGreeting = (text, next) =>
    keep("greeting", text, next, () =>
      h("li", { class: "message" }, h("div", { class: "bubble" }, h("p", { class: "text" }, text))),
    );

  function dayName(at) {
    const date = new Date(at).toDateString();
    if (date === new Date().toDateString()) return t("today");
    if (date === new Date(Date.now() - 86_400_000).toDateString()) return t("yesterday");
    return longDay.format(new Date(at));
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
