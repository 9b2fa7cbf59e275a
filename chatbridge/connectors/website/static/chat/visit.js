const CAMPAIGN = ["source", "medium", "campaign", "term", "content"];
const SETTLED_MS = 500; // a page that has changed its address changes its title a little later

/** Where the visit began: kept for as long as the tab lives. */
function beginning(key) {
  const marks = new URLSearchParams(location.search);
  const utm = Object.fromEntries(
    CAMPAIGN.map((name) => [name, marks.get(`utm_${name}`)]).filter(([, text]) => text),
  );
  const first = { referrer: document.referrer || null, utm: Object.keys(utm).length ? utm : null };
  try {
    const kept = sessionStorage.getItem(key);
    if (kept) return JSON.parse(kept);
    sessionStorage.setItem(key, JSON.stringify(first));
  } catch {
    // Storage is forbidden: then each page is a visit.
  }
  return first;
}

/**
 * What is told of the page.
 *
 * @param {string} key of the session storage
 * @param {(page: {url: string, title: string}) => void} onPage the visitor has gone to another page without a reload
 * @returns {() => object} the page as a hello names it
 */
export function createVisit(key, onPage) {
  const first = beginning(key);
  const here = () => ({ url: location.href, title: document.title });
  let url = location.href;

  const moved = () =>
    setTimeout(() => {
      if (url === location.href) return;
      url = location.href;
      onPage(here());
    }, SETTLED_MS);

  window.navigation?.addEventListener("currententrychange", moved);
  // Where there is no Navigation API: such a page moves when something is clicked.
  for (const type of ["popstate", "click"]) addEventListener(type, moved);
  return () => ({ ...here(), ...first });
}
