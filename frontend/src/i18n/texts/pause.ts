// Texts of pausing and resuming the work on pages and SVGs.
export const cs = {
  "pause.label": "Pozastavené fronty",
  "pause.coloring.paused": "Generování omalovánek je od {time} pozastaveno.",
  "pause.svg.paused": "Generování SVG je od {time} pozastaveno.",
  "pause.by": "Pozastaveno uživatelem {name}.",
  "pause.pause": "Pozastavit",
  "pause.resume": "Spustit",
  "pause.coloring.pause": "Pozastavit generování omalovánek",
  "pause.coloring.resume": "Spustit generování omalovánek",
  "pause.svg.pause": "Pozastavit generování SVG",
  "pause.svg.resume": "Spustit generování SVG",
} as const;

export const en = {
  "pause.label": "Paused queues",
  "pause.coloring.paused": "Generating pages is paused since {time}.",
  "pause.svg.paused": "Generating SVGs is paused since {time}.",
  "pause.by": "Paused by {name}.",
  "pause.pause": "Pause",
  "pause.resume": "Resume",
  "pause.coloring.pause": "Pause generating pages",
  "pause.coloring.resume": "Resume generating pages",
  "pause.svg.pause": "Pause generating SVGs",
  "pause.svg.resume": "Resume generating SVGs",
} as const;
