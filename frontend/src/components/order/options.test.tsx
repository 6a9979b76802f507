import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { useOptions } from "@/hooks/useOptions";
import { coloringOptions, DEFAULT_FORM, parseNumber, recallOptions, rememberOptions } from "@/lib/options";
import { OptionsBar } from "./OptionsBar";

describe("coloringOptions", () => {
  it("returns a preset's values", () => {
    expect(coloringOptions({ ...DEFAULT_FORM, preset: "best" })).toEqual({ megapixels: 4, steps: 8 });
  });

  it.each([
    ["", "4", ["megapixels"]],
    ["9", "4", ["megapixels"]],
    ["2", "2.5", ["steps"]],
    ["0.4", "", ["megapixels", "steps"]],
  ])("rejects %j MP and %j steps", (megapixels, steps, errors) => {
    expect(coloringOptions({ ...DEFAULT_FORM, preset: "own", megapixels, steps })).toEqual({ errors });
  });

  it("parses a decimal comma, and rejects letters", () => {
    expect(parseNumber("2,5", { min: 0, max: 8 })).toBe(2.5);
    expect(parseNumber("1e0", { min: 0, max: 8 })).toBeUndefined();
  });
});

describe("remembered options", () => {
  it("are restored", () => {
    const form = { ...DEFAULT_FORM, preset: "own" as const, megapixels: "3", steps: "7" };
    rememberOptions(form, localStorage);
    expect(recallOptions(localStorage)).toEqual(form);
  });

  it("fall back to the defaults if they are invalid", () => {
    localStorage.setItem("pastelka.options", '{"preset":"huge","megapixels":"","svg":{"group_by":"color"}}');
    expect(recallOptions(localStorage)).toEqual(DEFAULT_FORM);
    localStorage.setItem("pastelka.options", "not json");
    expect(recallOptions(localStorage)).toEqual(DEFAULT_FORM);
  });
});

function Bar() {
  const options = useOptions();
  return (
    <>
      <OptionsBar form={options.form} onChange={options.setForm} />
      <output>{JSON.stringify(options.toSend)}</output>
    </>
  );
}

const toSend = (): unknown => JSON.parse(screen.getByRole("status").textContent);

describe("OptionsBar", () => {
  it("sends the preset and stores it", async () => {
    const user = userEvent.setup();
    const { unmount } = render(<Bar />);
    await user.click(screen.getByRole("radio", { name: /jemná/ }));
    expect(toSend()).toMatchObject({ coloring: { megapixels: 2, steps: 4 } });
    unmount();
    render(<Bar />);
    expect(screen.getByRole("radio", { name: /jemná/ })).toBeChecked();
  });

  it("shows the valid range of an empty number, and sends nothing meanwhile", async () => {
    const user = userEvent.setup();
    render(<Bar />);
    await user.click(screen.getByRole("radio", { name: /vlastní/ }));
    const field = screen.getByRole("spinbutton", { name: "Megapixely" });
    await user.clear(field);
    expect(field).toBeInvalid();
    expect(screen.getByRole("alert")).toHaveTextContent("Zadejte číslo od 0,5 do 8.");
    expect(toSend()).not.toHaveProperty("coloring");
    await user.type(field, "2.5");
    expect(toSend()).toMatchObject({ coloring: { megapixels: 2.5, steps: 4 } });
  });

  it("sends the chosen structure of the SVG", async () => {
    const user = userEvent.setup();
    render(<Bar />);
    await user.click(screen.getByRole("button", { name: /SVG/ }));
    await user.selectOptions(screen.getByRole("combobox", { name: "Seskupení" }), "layer");
    expect(toSend()).toMatchObject({ svg: { shape_stacking: "stacked", group_by: "layer" } });
  });
});
