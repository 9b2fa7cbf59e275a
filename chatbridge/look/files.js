import { h } from "/look/dom.js";

const UNITS = ["look.bytes", "look.kilobytes", "look.megabytes", "look.gigabytes"];
const MEGABYTE = 1024 * 1024;

/**
 * Let the user choose one file.
 *
 * @param {string} accept as the attribute of a file input, "image/*"
 * @returns {Promise<File | null>} null when nothing was chosen
 */
export function pickFile(accept) {
  return new Promise((resolve) => {
    const input = h("input", { type: "file", accept });
    input.addEventListener("change", () => resolve(input.files[0] ?? null));
    input.addEventListener("cancel", () => resolve(null));
    input.click();
  });
}

/**
 * The message type that fits a file.
 *
 * @param {File} file
 * @returns {"picture" | "video" | "audio" | "file"}
 */
export function typeOf(file) {
  const kind = file.type.split("/")[0];
  if (file.type === "image/svg+xml") return "file";
  return { image: "picture", video: "video", audio: "audio" }[kind] ?? "file";
}

/**
 * "12 KB" in the reader's language.
 *
 * @param {number} bytes
 * @param {import("/look/i18n.js").Words} words
 * @returns {string}
 */
export function fileSize(bytes, words) {
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), UNITS.length - 1);
  const value = bytes / 1024 ** power;
  return words.t(UNITS[power], {
    n: value.toLocaleString(words.language(), { maximumFractionDigits: value < 10 && power > 0 ? 1 : 0 }),
  });
}

/**
 * Tell the user, before anything is sent, that a file is larger than the server takes.
 *
 * @param {File} file
 * @param {number} megabytes
 * @param {import("/look/notices.js").Notices} notices
 * @param {import("/look/i18n.js").Words} words
 * @returns {boolean} whether it fits
 */
export function fits(file, megabytes, notices, words) {
  if (file.size <= megabytes * MEGABYTE) return true;
  notices.failed(
    words.t("look.too_big_file", { name: file.name, n: megabytes }),
    words.t("look.too_big_hint"),
  );
  return false;
}

/**
 * How long a sound or film lasts, in whole seconds; 0 when the browser cannot tell.
 *
 * @param {File} file
 * @returns {Promise<number>}
 */
export function mediaSeconds(file) {
  const address = URL.createObjectURL(file);
  const player = document.createElement(file.type.startsWith("video/") ? "video" : "audio");
  player.preload = "metadata";
  return new Promise((resolve) => {
    player.addEventListener("loadedmetadata", () =>
      resolve(Number.isFinite(player.duration) ? Math.round(player.duration) : 0),
    );
    player.addEventListener("error", () => resolve(0));
    player.src = address;
  }).finally(() => {
    // The player lets go first: it may still be reading, and would complain that the file is gone.
    player.removeAttribute("src");
    player.load();
    URL.revokeObjectURL(address);
  });
}
