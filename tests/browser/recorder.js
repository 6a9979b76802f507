// Runs before the page's own scripts. Keeps, with the time of each change (ms since the epoch):
// the text of every version's badge by "<image>/<kind>/<version's place>", the connection light's state, and the
// orders of the list.
(() => {
  const badges = {};
  const lights = [];
  const orders = {};
  const document_ = Math.random();

  /** The badges on screen now: {key: [status, label]}. */
  const shown = () => {
    const found = {};
    for (const card of document.querySelectorAll("article[data-image]")) {
      for (const badge of card.querySelectorAll("li [data-status]")) {
        const tile = badge.closest("li");
        const { lane: kind } = tile.closest("[data-lane]").dataset;
        const version = /^v(\d+)/.exec(tile.textContent.trim())?.[1] ?? "?";
        found[`${card.dataset.image}/${kind}/${version}`] = [badge.dataset.status, badge.textContent];
      }
    }
    return found;
  };

  const look = () => {
    const now = performance.timeOrigin + performance.now();
    for (const [key, [status, label]] of Object.entries(shown())) {
      const former = (badges[key] ??= []);
      if (former.at(-1)?.label !== label) former.push({ at: now, status, label });
    }
    for (const link of document.querySelectorAll("[data-order]")) orders[link.dataset.order] ??= now;
    const state = document.querySelector("[data-connection]")?.dataset.connection;
    if (state && lights.at(-1)?.state !== state) lights.push({ at: now, state });
  };

  new MutationObserver(look).observe(document, {
    subtree: true,
    childList: true,
    characterData: true,
    attributes: true,
    attributeFilter: ["data-status", "data-connection"],
  });
  window.__recorder = { badges, lights, orders, shown, document: document_ };
})();
