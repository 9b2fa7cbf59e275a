import { h, icon, link, webAddress } from "./dom.js";

const LINK = /https?:\/\/[^\s<>"']+/giu;
const LINK_TAIL = /[.,;:!?)\]}»…]+$/u;
const UNITS = ["byte", "kilobyte", "megabyte"];

const BODIES = {
  picture,
  sticker: picture,
  video: player,
  voice: player,
  audio: player,
  location: place,
  contact: person,
};

/**
 * What stands in a bubble: the body of its kind, then its text.
 *
 * @param {import("./timeline.js").Shown} message
 * @param {object} look
 * @param {(key: string) => string} look.t
 * @param {string} look.language
 * @param {string} look.origin of the bridge: nothing is loaded from elsewhere
 * @returns {Array<Node | null>}
 */
export function bodyOf(message, look) {
  const draw = Object.hasOwn(BODIES, message.kind) ? BODIES[message.kind] : message.file && file;
  return [draw && draw(message, look), message.text && h("p", { class: "text" }, linked(message.text))];
}

/** Text with its web addresses made links; everything else stays text. */
function linked(text) {
  const parts = [];
  let end = 0;
  for (const { 0: found, index } of text.matchAll(LINK)) {
    const address = found.replace(LINK_TAIL, "");
    const href = webAddress(address);
    if (!href) continue;
    parts.push(text.slice(end, index), link(href, {}, address));
    end = index + address.length;
  }
  return [...parts, text.slice(end)];
}

/** The file's address, if it is one of ours. */
function loadable({ file }, { origin }) {
  const address = webAddress(file?.url);
  return address && new URL(address).origin === origin ? address : null;
}

function picture(message, look) {
  const address = loadable(message, look);
  if (!address) return file(message, look);
  const alt = message.file.name || look.t(message.kind);
  const image = h("img", { src: address, alt, onerror: () => frame.replaceWith(file(message, look)) });
  const frame = link(address, { class: message.kind }, image);
  return frame;
}

function player(message, look) {
  const address = loadable(message, look);
  if (!address) return file(message, look);
  const name = message.file.name || look.t(message.kind);
  const tag = message.kind === "video" ? "video" : "audio";
  return h(tag, {
    "src": address,
    "controls": true,
    "preload": "metadata",
    "playsinline": true,
    "aria-label": name,
  });
}

function file({ file: known, kind, share, failed }, { t, language }) {
  const href = webAddress(known?.url);
  const content = [
    h("span", { class: "card__icon" }, icon("file")),
    h(
      "span",
      { class: "card__text" },
      h("b", {}, known?.name || t(kind)),
      known?.size > 0 && h("small", {}, fileSize(known.size, language)),
      share !== undefined && !failed && h("progress", { value: share, max: 1 }),
    ),
  ];
  return href ? link(href, { class: "card" }, content) : h("span", { class: "card" }, content);
}

function place({ location: where, kind }, { t }) {
  const [lat, lon] = [Number(where?.lat), Number(where?.lon)];
  const degrees = `${lat.toFixed(5)}, ${lon.toFixed(5)}`;
  return link(
    `https://www.openstreetmap.org/?mlat=${lat}&mlon=${lon}#map=16/${lat}/${lon}`,
    { class: "card" },
    h("span", { class: "card__icon" }, icon("location")),
    h("span", { class: "card__text" }, h("b", {}, t(kind)), h("small", {}, degrees)),
  );
}

function person({ contact: who, kind }, { t }) {
  const phone = who?.phone ?? "";
  return h(
    "span",
    { class: "card" },
    face(who?.name || "?"),
    h(
      "span",
      { class: "card__text" },
      h("b", {}, who?.name || t(kind)),
      phone && h("a", { href: `tel:${phone.replace(/[^\d+]/g, "")}` }, phone),
    ),
  );
}

/**
 * A round with the first letters of a name.
 *
 * @param {string} name
 * @param {...Node} picture in place of the letters
 * @returns {HTMLElement}
 */
export function face(name, ...picture) {
  const letters = name.match(/(?<![\p{L}\p{N}])[\p{L}\p{N}]/gu)?.slice(0, 2) ?? ["?"];
  return h(
    "span",
    { "class": "face", "aria-hidden": "true" },
    ...(picture.length ? picture : [letters.join("").toUpperCase()]),
  );
}

/**
 * "1.2 MB" in the reader's language.
 *
 * @param {number} bytes
 * @param {string} language
 * @returns {string}
 */
export function fileSize(bytes, language) {
  const power = Math.min(Math.floor(Math.log2(bytes || 1) / 10), 2);
  const unit = { style: "unit", unit: UNITS[power], maximumFractionDigits: power && 1 };
  return new Intl.NumberFormat(language, unit).format(bytes / 1024 ** power);
}
