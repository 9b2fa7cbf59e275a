const SVG = "http://www.w3.org/2000/svg";

/**
 * Make an element. A property that begins with "on" is a listener, `value` is set as a property, all others are
 * attributes (false, null and undefined leave one out). Children are nodes or text, and text stays text.
 *
 * @param {string} tag
 * @param {Record<string, unknown>} [props]
 * @param {...(Node | string | number | null | undefined | false | Array)} children
 * @returns {HTMLElement}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) setProperty(element, name, value);
  element.append(
    ...children.flat(2).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

function setProperty(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
  else if (name === "value") element.value = value;
  else element.setAttribute(name, value === true ? "" : value);
}

/**
 * A drawing from icons.svg. It is hidden from screen readers: the word stands beside it or in a label.
 *
 * @param {string} name
 * @param {string} [extraClass]
 * @returns {SVGSVGElement}
 */
export function icon(name, extraClass = "") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", `icon icon-${name} ${extraClass}`.trim());
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `/look/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

/**
 * A button that shows only a drawing; `label` is the key of the words read aloud and shown on hover.
 *
 * @param {string} name
 * @param {string} label
 * @param {Record<string, unknown>} [props]
 * @returns {HTMLElement}
 */
export function iconButton(name, label, props = {}) {
  const { class: extra = "button--quiet", ...rest } = props;
  return h(
    "button",
    { "type": "button", "class": `button button--icon ${extra}`, "data-t-label": label, ...rest },
    icon(name),
  );
}

/**
 * The first letters of a name, for an avatar: "Anna Berg" gives "AB".
 *
 * @param {string} name
 * @returns {string}
 */
export function initials(name) {
  const words = name
    .trim()
    .split(/\s+/u)
    .filter((word) => /[\p{L}\p{N}]/u.test(word));
  const letters = words.map((word) => [...word.replace(/^[^\p{L}\p{N}]+/u, "")][0]);
  return (letters.length > 1 ? letters[0] + letters.at(-1) : (letters[0] ?? "?")).toUpperCase();
}
