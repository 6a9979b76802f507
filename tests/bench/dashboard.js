// Runs in the page before anything of the dashboard does; tests/bench/dashboard.py reads what it notes.
(() => {
  /** Times at which the page heard of an image's status, by "<image> <status>". */
  const heard = new Map();
  const waiting = new Map();

  const Native = window.EventSource;
  window.EventSource = class extends Native {
    constructor(...given) {
      super(...given);
      // Added first, so it hears first.
      super.addEventListener("message", ({ data }) => {
        const event = JSON.parse(data);
        if (event.type === "image_status") heard.set(`${event.image_id} ${event.status}`, performance.now());
      });
    }
  };

  /** Called after the frame in which it was asked has been painted. */
  function afterPaint(call) {
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = call;
      channel.port2.postMessage(null);
    });
  }

  function isShown(key) {
    const [image, status] = key.split(" ");
    return document.querySelector(`[data-image="${image}"] .status-badge[data-status="${status}"]`) !== null;
  }

  function look() {
    for (const [key, resolve] of waiting) {
      if (!heard.has(key) || !isShown(key)) continue;
      waiting.delete(key);
      afterPaint(() => resolve(performance.now() - heard.get(key)));
    }
  }

  new MutationObserver(look).observe(document, {
    subtree: true,
    childList: true,
    attributes: true,
    attributeFilter: ["data-status"],
  });

  window.bench = {
    /** Milliseconds from the event to the painted badge; the badge may be there already. */
    painted: (image, status) =>
      new Promise((resolve) => {
        waiting.set(`${image} ${status}`, resolve);
        look();
      }),
    /** Bring a card onto the screen and let it be painted. */
    show: (image) =>
      new Promise((resolve) => {
        document.querySelector(`[data-image="${image}"]`).scrollIntoView({ block: "center" });
        afterPaint(resolve);
      }),
    /** Scroll to the end of the list until it has more than `loaded` rows; resolves with how many. */
    loadMore: (loaded) =>
      new Promise((resolve) => {
        const look = () => {
          const rows = Number(document.querySelector("[role=table]").getAttribute("aria-rowcount")) - 1;
          if (rows > loaded) return resolve(rows);
          scrollTo(0, document.documentElement.scrollHeight);
          requestAnimationFrame(look);
        };
        look();
      }),
    frames: [],
    recordFrames() {
      window.bench.frames = [];
      const note = (time) => {
        window.bench.frames.push(time);
        window.bench.recording = requestAnimationFrame(note);
      };
      window.bench.recording = requestAnimationFrame(note);
    },
    stopFrames() {
      cancelAnimationFrame(window.bench.recording);
      return window.bench.frames;
    },
    shift: 0,
  };

  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.bench.shift += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
})();
