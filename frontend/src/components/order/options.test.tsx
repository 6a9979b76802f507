import { QueryClient } from "@tanstack/react-query";
import { screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { useOptions } from "@/hooks/useOptions";
import type { Presets } from "@/lib/api";
import {
  coloringOptions,
  DEFAULT_FORM,
  DEFAULT_STYLE,
  optionsToSend,
  parseNumber,
  recallOptions,
  rememberOptions,
  withListedPreset,
  type OptionsForm,
} from "@/lib/options";
import { coloringToSend } from "@/lib/presetsQuery";
import { renderPage } from "@/test/renderPage";
import { PRESETS } from "@/test/samples";
import { OptionsBar } from "./OptionsBar";
import { problem, serve } from "./test/api";

const REMOTE: Presets = { ...PRESETS, provider: "runpod", options: ["megapixels", "steps"] };
const OWN: OptionsForm = {
  ...DEFAULT_FORM,
  preset: "own",
  style: { frame: false, background: "quiet", line_weight: "bold" },
};

const servePresets = (presets: Presets) =>
  serve({ "GET /api/v1/presets": () => ({ status: 200, body: presets }) });

beforeEach(() => servePresets(PRESETS));
afterEach(() => {
  vi.unstubAllGlobals();
});

describe("coloringOptions", () => {
  it("returns a preset's values as the API lists them", () => {
    const toddler = { ...DEFAULT_FORM, preset: "toddler" } as const;
    expect(coloringOptions(toddler, PRESETS)).toEqual({ megapixels: 1, steps: 1, line_weight: "bold" });
    expect(coloringOptions(toddler, undefined)).toEqual({ errors: [] });
  });

  it("sends of a custom style only what is not the default and what the provider supports", () => {
    const plain = { megapixels: 1, steps: 4 };
    expect(coloringOptions(OWN, PRESETS)).toEqual({ ...plain, frame: false, line_weight: "bold" });
    expect(coloringOptions(OWN, REMOTE)).toEqual(plain);
    expect(coloringOptions({ ...DEFAULT_FORM, preset: "own" }, PRESETS)).toEqual(plain);
  });

  it.each([
    ["", "4", ["megapixels"]],
    ["9", "4", ["megapixels"]],
    ["2", "2.5", ["steps"]],
    ["0.4", "", ["megapixels", "steps"]],
  ])("rejects %j MP and %j steps", (megapixels, steps, errors) => {
    expect(coloringOptions({ ...DEFAULT_FORM, preset: "own", megapixels, steps }, PRESETS)).toEqual({
      errors,
    });
  });

  it("parses a decimal comma, and rejects letters", () => {
    expect(parseNumber("2,5", { min: 0, max: 8 })).toBe(2.5);
    expect(parseNumber("1e0", { min: 0, max: 8 })).toBeUndefined();
  });
});

describe("remembered options", () => {
  it("are restored", () => {
    const form = { ...OWN, megapixels: "3", steps: "7" };
    rememberOptions(form, localStorage);
    expect(recallOptions(localStorage)).toEqual(form);
  });

  it("fall back to the defaults if they are invalid", () => {
    localStorage.setItem(
      "pastelka.options",
      '{"preset":"huge","megapixels":"","style":{"frame":1,"background":"loud"},"svg":{"group_by":"color"}}',
    );
    expect(withListedPreset(recallOptions(localStorage), PRESETS)).toEqual(DEFAULT_FORM);
    localStorage.setItem("pastelka.options", "not json");
    expect(recallOptions(localStorage)).toEqual(DEFAULT_FORM);
  });
});

function Bar() {
  const options = useOptions();
  return (
    <>
      <OptionsBar form={options.form} presets={options.presets} onChange={options.setForm} />
      <output aria-label="to send">{JSON.stringify(options.toSend)}</output>
    </>
  );
}

const toSend = (): unknown => JSON.parse(screen.getByRole("status", { name: "to send" }).textContent);

async function showBar() {
  const shown = renderPage(<Bar />, "/");
  await screen.findByRole("radio", { name: /rychlá/ });
  return shown;
}

describe("OptionsBar", () => {
  it("sends the preset and stores it", async () => {
    const { user, unmount } = await showBar();
    await user.click(screen.getByRole("radio", { name: /jemná/ }));
    expect(toSend()).toMatchObject({ coloring: { megapixels: 2, steps: 4 } });
    unmount();
    await showBar();
    expect(screen.getByRole("radio", { name: /jemná/ })).toBeChecked();
  });

  it("shows the valid range of an empty number, and sends nothing meanwhile", async () => {
    const { user } = await showBar();
    await user.click(screen.getByRole("radio", { name: /vlastní/ }));
    const field = screen.getByRole("spinbutton", { name: "Megapixely" });
    await user.clear(field);
    expect(field).toBeInvalid();
    expect(screen.getByRole("alert")).toHaveTextContent("Zadejte číslo od 0,5 do 8.");
    expect(toSend()).not.toHaveProperty("coloring");
    await user.type(field, "2.5");
    expect(toSend()).toMatchObject({ coloring: { megapixels: 2.5, steps: 4 } });
  });

  it("lists the API's presets with style and time, and sends nothing until they are loaded", async () => {
    renderPage(<Bar />, "/");
    expect(toSend()).not.toHaveProperty("coloring");
    expect(screen.getAllByRole("radio")).toHaveLength(1);
    await screen.findByRole("radio", { name: "batole 1 MP / 1 · tlusté čáry" });
    expect(screen.getAllByRole("radio")).toHaveLength(PRESETS.items.length + 1);
    expect(screen.getByText("asi 5 s na omalovánku")).toBeVisible();
    expect(toSend()).toMatchObject({ coloring: { megapixels: 1, steps: 4 } });
  });

  it("waits for the presets with what is sent before they are loaded", async () => {
    localStorage.clear();
    const fine = optionsToSend({ ...DEFAULT_FORM, preset: "fine" }, undefined);
    expect(fine.coloring).toBeUndefined();
    expect(await coloringToSend(new QueryClient(), fine)).toEqual({ megapixels: 2, steps: 4 });
    localStorage.clear();
    const own = { ...DEFAULT_FORM, preset: "own", style: { ...DEFAULT_STYLE, frame: false } } as const;
    expect(await coloringToSend(new QueryClient(), optionsToSend(own, undefined))).toMatchObject({
      frame: false,
    });
    const empty = optionsToSend({ ...own, steps: "" }, undefined);
    expect(await coloringToSend(new QueryClient(), empty)).toBeUndefined();
  });

  it("says why a request failed that waited for the presets", async () => {
    localStorage.clear();
    const down = problem("unavailable", "The database is away.", 503);
    serve({ "GET /api/v1/presets": () => ({ status: 503, body: down }) });
    const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
    await expect(coloringToSend(queries, optionsToSend(DEFAULT_FORM, undefined))).rejects.toThrow();
  });

  it("starts with the presets of the last visit", async () => {
    (await showBar()).unmount();
    vi.stubGlobal("fetch", () => new Promise(() => undefined));
    renderPage(<Bar />, "/");
    expect(screen.getAllByRole("radio")).toHaveLength(PRESETS.items.length + 1);
    expect(toSend()).toMatchObject({ coloring: { megapixels: 1, steps: 4 } });
  });

  it("refetches presets that are invalid in the storage", async () => {
    localStorage.setItem("pastelka.presets", '{"items":{}}');
    await showBar();
    expect(screen.getAllByRole("radio")).toHaveLength(PRESETS.items.length + 1);
  });

  it("sends the chosen frame, background and line weight of custom values", async () => {
    const { user } = await showBar();
    await user.click(screen.getByRole("radio", { name: /vlastní/ }));
    await user.click(screen.getByRole("checkbox", { name: "Rámeček" }));
    await user.selectOptions(screen.getByRole("combobox", { name: "Pozadí" }), "žádné");
    await user.selectOptions(screen.getByRole("combobox", { name: "Čáry" }), "tenké");
    expect(toSend()).toMatchObject({
      coloring: { megapixels: 1, steps: 4, frame: false, background: "none", line_weight: "thin" },
    });
  });

  it("offers only the options that the provider supports", async () => {
    servePresets(REMOTE);
    rememberOptions(OWN, localStorage);
    await showBar();
    expect(screen.getAllByRole("spinbutton")).toHaveLength(2);
    expect(screen.queryByRole("checkbox")).toBeNull();
    expect(screen.queryByRole("combobox", { name: "Pozadí" })).toBeNull();
    expect(toSend()).toMatchObject({ coloring: { megapixels: 1, steps: 4 } });
  });

  it("sends the chosen structure of the SVG", async () => {
    const { user } = await showBar();
    await user.click(screen.getByRole("button", { name: /SVG/ }));
    await user.selectOptions(screen.getByRole("combobox", { name: "Seskupení" }), "layer");
    expect(toSend()).toMatchObject({ svg: { shape_stacking: "stacked", group_by: "layer" } });
  });
});
