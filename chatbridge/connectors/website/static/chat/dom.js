const SVG = "http://www.w3.org/2000/svg";

/** The family's drawings, see chatbridge/look/icons.svg. */
const ICONS = {
  attach: "m20 11-8.3 8.3a5 5 0 0 1-7-7l8.5-8.5a3.3 3.3 0 0 1 4.7 4.7l-8.3 8.3a1.6 1.6 0 0 1-2.3-2.3L15 6.7",
  chat: "M4 6.5a2.5 2.5 0 0 1 2.5-2.5h11A2.5 2.5 0 0 1 20 6.5v7a2.5 2.5 0 0 1-2.5 2.5H11l-5 4v-4a2 2 0 0 1-2-2z",
  close: "m6 6 12 12M18 6 6 18",
  down: "M12 5v14M6 13l6 6 6-6",
  failed: "M12 3.5 2.5 20h19zM12 10v4.5M12 17.2v.1",
  file: "M13.5 3h-6a2 2 0 0 0-2 2v14a2 2 0 0 0 2 2h9a2 2 0 0 0 2-2V8zM13.5 3v5h5M9 13h6M9 17h4",
  location:
    "M12 21.5c4.5-5 6.5-8.3 6.5-11.3a6.5 6.5 0 0 0-13 0c0 3 2 6.3 6.5 11.3zM12 7.7a2.5 2.5 0 1 0 .1 0",
  pending: "M12 3.5a8.5 8.5 0 1 0 .1 0M12 7.5V12l3 2",
  send: "M4 12 20 4l-5 16-3.5-6.5zM11.5 13.5 20 4",
  sent: "m5 12.5 4.5 4.5L19 7.5",
  silent: "M6.5 16.5V11A5.5 5.5 0 0 1 15 6.4M17.5 11v5.5h-11M10.5 20h3M4 4l16 16",
  sound: "M6.5 16.5V11a5.5 5.5 0 0 1 11 0v5.5zM10.5 20h3",
};

/**
 * Make an element. A property that begins with "on" is a listener, all others are attributes (false, null and undefined
 * leave one out). Children are nodes or text, and text stays text.
 *
 * @param {string} tag
 * @param {Record<string, unknown>} [props]
 * @param {...(Node | string | null | undefined | false | Array)} children
 * @returns {HTMLElement}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value || value === 0) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(2).filter((child) => child || child === 0));
  return element;
}

/**
 * A drawing, hidden from screen readers: the word stands beside it or in a label.
 *
 * @param {string} name
 * @returns {SVGSVGElement}
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/**
 * A button that shows only a drawing.
 *
 * @param {string} name
 * @param {string} label read aloud, and shown on hover
 * @param {Record<string, unknown>} props
 * @returns {HTMLElement}
 */
export function iconButton(name, label, props) {
  return h("button", { "type": "button", "aria-label": label, "title": label, ...props }, icon(name));
}

/** Change a text only if it is another one: what is read aloud is read once. */
export function say(place, text) {
  if (place.textContent !== (text || "")) place.textContent = text || "";
}

/**
 * The address, made whole, if a link may lead there: http and https alone.
 *
 * @param {unknown} address
 * @returns {string | null}
 */
export function webAddress(address) {
  try {
    const { protocol, href } = new URL(address);
    return /^https?:$/.test(protocol) ? href : null;
  } catch {
    return null;
  }
}

/**
 * A link that opens beside the page.
 *
 * @param {string} href
 * @param {Record<string, unknown>} props
 * @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
export function link(href, props, ...children) {
  return h("a", { href, target: "_blank", rel: "noopener noreferrer nofollow", ...props }, ...children);
}
