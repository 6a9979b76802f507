// What each status is called and in what color; the values are the API's.

export const COLORING_STATUS_DISPLAY = {
  pending: { label: "Čeká na odeslání", color: "gray" },
  queued: { label: "Čeká ve frontě", color: "blue" },
  processing: { label: "Zpracovává se...", color: "blue" },
  runpod_submitting: { label: "Runpod: odesílání na server", color: "blue" },
  runpod_submitted: { label: "Runpod: úloha přijata", color: "blue" },
  runpod_queued: { label: "Runpod: čeká ve frontě", color: "yellow" },
  runpod_processing: { label: "Runpod: Probíhá zpracování", color: "yellow" },
  completed: { label: "Dokončeno", color: "green" },
  error: { label: "Chyba", color: "red" },
};

export const SVG_STATUS_DISPLAY = {
  pending: { label: "Čeká na odeslání", color: "gray" },
  queued: { label: "Čeká ve frontě", color: "blue" },
  processing: { label: "Zpracovává se...", color: "blue" },
  vectorizer_processing: { label: "Vectorizer: Probíhá zpracování", color: "yellow" },
  completed: { label: "Dokončeno", color: "green" },
  error: { label: "Chyba", color: "red" },
};

const DISPLAYS = { coloring: COLORING_STATUS_DISPLAY, svg: SVG_STATUS_DISPLAY };

export const KINDS = {
  coloring: { title: "Omalovánka", verb: "Vygenerovat omalovánku", badge: "Omalovánka" },
  svg: { title: "SVG", verb: "Vygenerovat SVG", badge: "SVG" },
};

export function display(kind, status) {
  return DISPLAYS[kind][status] ?? { label: status, color: "gray" };
}

export const isFinal = (status) => status === "completed" || status === "error";

/** How far along its way a status is: [steps done, steps in all]. */
export function step(kind, status) {
  const way = Object.keys(DISPLAYS[kind]).filter((name) => name !== "error");
  const short = way.filter((name) => !/^(runpod|vectorizer)_/.test(name));
  const steps = short.includes(status) ? short : way;
  return [Math.max(0, steps.indexOf(status)), steps.length - 1];
}
