// The API viewer in the colours of our other pages (look/tokens.css), light or dark as the reader's system is.
import "/static/vendor/rapidoc@9.3.8/rapidoc-min.js";

const LIGHT = {
  theme: "light", "bg-color": "#ffffff", "text-color": "#1a1f29", "primary-color": "#2a66d9",
  "nav-bg-color": "#f5f6f9", "nav-text-color": "#5a6475", "nav-hover-bg-color": "#e4edfd",
  "nav-hover-text-color": "#1f54bb", "nav-accent-color": "#2a66d9",
};
const DARK = {
  theme: "dark", "bg-color": "#161a21", "text-color": "#e6e9ef", "primary-color": "#6d9cf5",
  "nav-bg-color": "#1c212a", "nav-text-color": "#a3adbd", "nav-hover-bg-color": "#24303f",
  "nav-hover-text-color": "#a9c5fb", "nav-accent-color": "#6d9cf5",
};
const ALWAYS = {
  "spec-url": "/openapi.json", "load-fonts": "false", "regular-font": "system-ui, sans-serif",
  "mono-font": "ui-monospace, monospace", "show-header": "false", "render-style": "read",
  "allow-server-selection": "false", "persist-auth": "false", "allow-advanced-search": "false",
};

const dark = matchMedia("(prefers-color-scheme: dark)");
const viewer = document.createElement("rapi-doc");

/** Give the viewer attributes. */
function dress(attributes) {
  for (const [name, value] of Object.entries(attributes)) viewer.setAttribute(name, value);
}

dress({ ...ALWAYS, ...(dark.matches ? DARK : LIGHT) });
dark.addEventListener("change", () => dress(dark.matches ? DARK : LIGHT));
document.body.append(viewer);
