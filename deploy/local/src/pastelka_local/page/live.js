// The line to the hub. The cookie that opens it comes with every answer of the orders API.

const RETRY_MS = 2000;

/** `onEvent(message)` for each update; `onBack()` whenever something may have been missed. */
export function connect(onEvent, onBack) {
  const source = new EventSource("/.well-known/mercure?topic=orders");
  source.onopen = () => {
    show("live", "Živě");
    onBack();
  };
  source.onmessage = (event) => onEvent(JSON.parse(event.data));
  source.onerror = () => {
    const closed = source.readyState === EventSource.CLOSED;
    show(closed ? "off" : "", closed ? "Odpojeno" : "Připojuji");
    // The browser tries again by itself, except after a refusal (a cookie that has run out).
    if (closed) setTimeout(() => renew(onEvent, onBack), RETRY_MS);
  };
}

async function renew(onEvent, onBack) {
  await fetch("/api/v1/orders?limit=1").catch(() => null);
  connect(onEvent, onBack);
}

function show(state, text) {
  const light = document.getElementById("light");
  light.className = `light ${state}`;
  light.lastElementChild.textContent = text;
}
