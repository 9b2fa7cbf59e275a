const PAGE = "chatbridge-sandbox";
const HOST = "chatbridge-demo";

/**
 * How the page was asked to appear, from its address: `?embed=1&scope=…&lang=ru`.
 *
 * @returns {{embedded: boolean, scope: string | null, language: string | null}}
 */
export function askedFor() {
  const query = new URLSearchParams(location.search);
  return { embedded: query.get("embed") === "1", scope: query.get("scope"), language: query.get("lang") };
}

/**
 * The line to the page around us. Only pages named in the sandbox's settings may frame it (CSP frame-ancestors), and
 * only the origin that does so is spoken to and listened to.
 *
 * @param {(language: string) => void} onLanguage
 * @returns {{ready: () => void, selected: (message: object) => void}}
 */
export function lineToHost(onLanguage) {
  const origin = hostOrigin();
  const post = (data) => origin && window.parent.postMessage({ source: PAGE, ...data }, origin);
  window.addEventListener("message", ({ source, origin: from, data }) => {
    if (source !== window.parent || from !== origin || data?.source !== HOST) return;
    if (data.type === "language") onLanguage(data.language);
  });
  return {
    ready: () => post({ type: "ready" }),
    selected: ({ id, client_id, direction }) =>
      post({ type: "selected", message: { id, client_id, direction } }),
  };
}

function hostOrigin() {
  if (window.parent === window) return null;
  if (location.ancestorOrigins?.length) return location.ancestorOrigins[0];
  return URL.canParse(document.referrer) ? new URL(document.referrer).origin : null;
}
