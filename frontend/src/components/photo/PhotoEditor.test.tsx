import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { image } from "@/components/order/test/orders";
import { NO_EDIT } from "@/lib/photoEdit";
import { holdRequests, problem, takeRequest, type WaitingRequest } from "@/test/fakeApi";
import { forgetToasts, renderPage } from "@/test/renderPage";
import PhotoEditor from "./PhotoEditor";

const PATH = "/api/v1/orders/1270/images/7/edit";
const STATE = { id: 7, original_url: "http://files/image_1.jpg", width: 800, height: 600, edit: NO_EDIT };

let requests: WaitingRequest[];
beforeEach(() => {
  requests = holdRequests();
});
afterEach(() => {
  vi.unstubAllGlobals();
  forgetToasts();
});

/** The editor with its photo loaded. */
async function opened(edit = NO_EDIT) {
  const onClose = vi.fn<() => void>();
  const shown = renderPage(<PhotoEditor orderNumber="1270" image={image()} onClose={onClose} />, "/");
  (await takeRequest(requests, `GET ${PATH}`)).answer({ ...STATE, edit }, 200, { ETag: '"one"' });
  const photo = await screen.findByRole("img", { name: "Úprava fotky 1" });
  Object.defineProperty(photo, "naturalWidth", { value: 800 });
  Object.defineProperty(photo, "naturalHeight", { value: 600 });
  fireEvent.load(photo);
  return { ...shown, photo, onClose };
}

const save = (name = "Uložit úpravu") => screen.getByRole("button", { name });
const slide = (name: string, value: string) =>
  fireEvent.change(screen.getByRole("slider", { name }), { target: { value } });

describe("the editor of a photo", () => {
  it("previews at once and saves all parameters with the ETag that was read", async () => {
    const { user, photo, onClose } = await opened();
    await user.click(screen.getByRole("button", { name: "Otočit doprava" }));
    slide("Narovnat", "2.5");
    slide("Jas", "10");
    slide("Kontrast", "-20");
    expect(photo.style.transform).toContain("rotate(92.5deg)");
    expect(photo.style.filter).toBe("brightness(1.1) contrast(0.8)");
    await user.click(save());
    const request = await takeRequest(requests, `PATCH ${PATH}`);
    const wanted = { ...NO_EDIT, quarter_turns: 1, straighten: 2.5, brightness: 10, contrast: -20 };
    expect(await request.body()).toEqual(wanted);
    expect(request.header("If-Match")).toBe('"one"');
    request.answer({ ...STATE, edit: wanted });
    await waitFor(() => expect(onClose).toHaveBeenCalledOnce());
  });

  it("crops by the arrow keys on the focused edge", async () => {
    const { user } = await opened();
    screen.getByRole("button", { name: /^Levý okraj výřezu/ }).focus();
    await user.keyboard("{Shift>}{ArrowRight}{/Shift}{ArrowRight}");
    screen.getByRole("button", { name: /^Posunout výřez/ }).focus();
    await user.keyboard("{ArrowLeft}");
    await user.click(save());
    const { crop } = (await (await takeRequest(requests, `PATCH ${PATH}`)).body()) as typeof NO_EDIT;
    expect([crop.left, crop.width].map((value) => value.toFixed(6))).toEqual(["0.100000", "0.890000"]);
    expect([crop.top, crop.height]).toEqual([0, 1]);
  });

  it("turns, resets and saves by its keys", async () => {
    const { user } = await opened({ ...NO_EDIT, brightness: 30 });
    await user.keyboard("rrl0ls");
    const request = await takeRequest(requests, `PATCH ${PATH}`);
    expect(await request.body()).toMatchObject({ quarter_turns: 3, brightness: 0 });
  });

  it("shows what another person saved, and loses nothing of the own edit", async () => {
    const { user } = await opened();
    slide("Jas", "10");
    await user.click(save());
    (await takeRequest(requests, `PATCH ${PATH}`)).answer(problem(412, "precondition_failed"), 412);
    const theirs = { ...NO_EDIT, quarter_turns: 2 };
    (await takeRequest(requests, `GET ${PATH}`)).answer({ ...STATE, edit: theirs }, 200, { ETag: '"two"' });
    const alert = await screen.findByRole("alert");
    expect(alert).toHaveTextContent("Fotku mezitím upravil někdo jiný");
    expect(within(alert).getByRole("img").style.transform).toContain("rotate(180deg)");
    expect(screen.getByRole("slider", { name: "Jas" })).toHaveValue("10");
    await user.click(save("Uložit tuto úpravu"));
    const request = await takeRequest(requests, `PATCH ${PATH}`);
    expect(await request.body()).toMatchObject({ quarter_turns: 0, brightness: 10 });
    expect(request.header("If-Match")).toBe('"two"');
  });

  it("can take the other person's edit instead", async () => {
    const { user, onClose } = await opened();
    slide("Jas", "10");
    await user.click(save());
    (await takeRequest(requests, `PATCH ${PATH}`)).answer(problem(412, "precondition_failed"), 412);
    const theirs = { ...NO_EDIT, quarter_turns: 2 };
    (await takeRequest(requests, `GET ${PATH}`)).answer({ ...STATE, edit: theirs }, 200, { ETag: '"two"' });
    await user.click(await screen.findByRole("button", { name: "Převzít jeho úpravu" }));
    expect(screen.queryByRole("alert")).toBeNull();
    expect(screen.getByRole("slider", { name: "Jas" })).toHaveValue("0");
    // Nothing of one's own is left to lose.
    const [close] = screen.getAllByRole("button", { name: "Zavřít" });
    if (close) await user.click(close);
    expect(onClose).toHaveBeenCalledOnce();
  });

  it("says why the service refuses the edit", async () => {
    const { user } = await opened();
    slide("Jas", "10");
    await user.click(save());
    (await takeRequest(requests, `PATCH ${PATH}`)).answer(problem(409, "image_approved"), 409);
    expect(await screen.findByRole("alert")).toHaveTextContent("Nejdřív schválení zrušte.");
    expect(screen.getByRole("slider", { name: "Jas" })).toHaveValue("10");
  });

  it("asks before a changed edit is discarded by Esc, and only then", async () => {
    const { user, onClose } = await opened();
    slide("Jas", "10");
    const focused = document.activeElement;
    expect(focused).not.toBe(document.body);
    await user.keyboard("{Escape}");
    expect(onClose).not.toHaveBeenCalled();
    await user.click(await screen.findByRole("button", { name: /^Pokračovat/ }));
    // The keys of the editor go on.
    await waitFor(() => expect(focused).toHaveFocus());
    expect(screen.getByRole("slider", { name: "Jas" })).toHaveValue("10");
    slide("Jas", "0");
    await user.keyboard("{Escape}");
    expect(onClose).toHaveBeenCalledOnce();
  });

  it("offers a retry if the edit cannot be read", async () => {
    renderPage(<PhotoEditor orderNumber="1270" image={image()} onClose={() => undefined} />, "/");
    (await takeRequest(requests, `GET ${PATH}`)).answer(problem(503, "database_unavailable"), 503);
    fireEvent.click(await screen.findByRole("button", { name: "Zkusit znovu" }));
    (await takeRequest(requests, `GET ${PATH}`)).answer(STATE, 200, { ETag: '"one"' });
    expect(await screen.findByRole("slider", { name: "Jas" })).toBeVisible();
  });
});
