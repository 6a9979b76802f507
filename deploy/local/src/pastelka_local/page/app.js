// The plain page: which view is open, what the hub says, and photos that are dropped.
import { call } from "./api.js";
import { toast } from "./dom.js";
import { ListView } from "./list.js";
import { connect } from "./live.js";
import { OrderView } from "./order.js";

const root = document.getElementById("view");
let view = null;

function open() {
  view?.close?.();
  const number = decodeURIComponent(location.hash.slice(1));
  document.title = number ? `${number} · Pastelka` : "Pastelka";
  view = number ? new OrderView(root, number) : new ListView(root);
}

async function upload(files) {
  const photos = [...files];
  if (!photos.length) return;
  const form = new FormData();
  for (const photo of photos) form.append("photos", photo);
  form.append("process", "svg");
  toast(`Nahrávám ${photos.length} ${photos.length === 1 ? "fotku" : photos.length < 5 ? "fotky" : "fotek"}…`);
  try {
    const order = await call("POST", "/orders", form);
    location.hash = order.order_number;
  } catch (error) {
    toast(error.message, true);
  }
}

function acceptDrops() {
  const overlay = document.getElementById("drop");
  const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    overlay.hidden = false;
  });
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) overlay.hidden = true; });
  addEventListener("drop", (event) => {
    overlay.hidden = true;
    if (!hasFiles(event)) return;
    event.preventDefault();
    upload(event.dataTransfer.files);
  });
  document.getElementById("pick").addEventListener("change", (event) => {
    upload(event.target.files);
    event.target.value = "";
  });
}

addEventListener("hashchange", open);
acceptDrops();
open();
// The first answer brings the cookie for the hub.
call("GET", "/orders?limit=1").catch(() => null).then(() => connect((message) => view.onEvent(message), () => view.refresh()));
