import { h, iconButton } from "/look/dom.js";

const NEAR_THE_END_PX = 96;

/**
 * A box that scrolls and stays at its end while content grows, until the reader scrolls up; then a button leads back.
 *
 * @param {HTMLElement} content
 * @returns {{element: HTMLElement, following: () => boolean, toEnd: () => void, keepPlace: (grow: () => void) => void}}
 *   `keepPlace` runs a change that adds content above, and leaves what is read where it is
 */
export function createScroller(content) {
  const box = h("div", { class: "messages__scroll", tabindex: "-1", onscroll: scrolled }, content);
  const newest = iconButton("down", "look.to_newest", { class: "messages__newest", onclick: toEnd });
  let following = true;
  let place = 0;

  /** Only the reader scrolls up; content that grows leaves the place where it was. */
  function scrolled() {
    const near = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_THE_END_PX;
    if (near || box.scrollTop < place) follow(near);
    place = box.scrollTop;
  }

  function follow(now) {
    following = now;
    newest.hidden = now;
  }

  function toEnd() {
    box.scrollTop = box.scrollHeight;
    follow(true);
  }

  function keepPlace(grow) {
    const before = box.scrollHeight;
    grow();
    box.scrollTop += box.scrollHeight - before;
  }

  follow(true);
  // A picture grows when it has loaded, and the box changes with the window.
  const sizes = new ResizeObserver(() => following && toEnd());
  for (const one of [box, content]) sizes.observe(one);
  return {
    element: h("div", { class: "messages" }, box, newest),
    following: () => following,
    toEnd,
    keepPlace,
  };
}
