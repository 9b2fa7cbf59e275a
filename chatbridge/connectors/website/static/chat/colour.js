const WHITE = "#ffffff";
const INK = "#0b1526";
const GROUND = { light: "#e9edf3", dark: "#212832" }; // the least kind of those that it stands on
const READABLE = 4.5; // contrast asked for by WCAG 2.2 AA

const parts = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));

/** Relative luminance, WCAG 2.2. */
function luminance(colour) {
  const [red, green, blue] = parts(colour).map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/**
 * @param {string} one "#rrggbb"
 * @param {string} other
 * @returns {number} 1 to 21
 */
export function contrast(one, other) {
  const [dark, bright] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (bright + 0.05) / (dark + 0.05);
}

/** The colour itself, or as much nearer to another as it takes to be read on a ground. */
function readable(colour, ground, towards) {
  const mixed = (share) => {
    const mix = parts(colour).map((part, at) => Math.round(part + (parts(towards)[at] - part) * share));
    return `#${mix.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
  };
  let share = 0;
  while (share < 1 && contrast(mixed(share), ground) < READABLE) share += 0.05;
  return mixed(Math.min(share, 1));
}

/**
 * What follows from the site's colour: what is written on it, and how it looks as text in each scheme.
 *
 * @param {string} colour "#rrggbb"
 * @returns {{accent: string, on: string, light: string, dark: string}}
 */
export function palette(colour) {
  const accent = /^#[0-9a-f]{6}$/i.test(colour) ? colour : "#2a66d9";
  return {
    accent,
    on: contrast(accent, WHITE) >= READABLE ? WHITE : INK,
    light: readable(accent, GROUND.light, "#000000"),
    dark: readable(accent, GROUND.dark, WHITE),
  };
}
