import { useQueryClient } from "@tanstack/react-query";
import { screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { image, order } from "@/components/order/test/orders";
import { orderKey } from "@/lib/orderQuery";
import { holdRequests, takeRequest, type WaitingRequest } from "@/test/fakeApi";
import { forgetToasts, renderPage } from "@/test/renderPage";
import { BookItems } from "./BookItems";

const PATH = "/api/v1/orders/1270/line-items/3";
const STATE = { id: 3, title: "Omalovánky", quantity: 1, dedication: "Pro Elišku", layout: null };

let requests: WaitingRequest[];
beforeEach(() => {
  requests = holdRequests();
});
afterEach(() => {
  vi.unstubAllGlobals();
  forgetToasts();
});

function Shown({ onChanged }: { onChanged: () => void }) {
  const sample = order([image()]);
  useQueryClient().setQueryData(orderKey("1270"), (known: unknown) => known ?? sample);
  return <BookItems order={sample} onChanged={onChanged} />;
}

it("layouts that are chosen quickly are saved one after another, and the last one stays chosen", async () => {
  const onChanged = vi.fn();
  const { user } = renderPage(<Shown onChanged={onChanged} />, "/");
  const layout = screen.getByRole("combobox", { name: "Rozvržení" });
  await user.selectOptions(layout, "two");
  expect(layout).toHaveValue("two");
  await user.selectOptions(layout, "four");
  expect(layout).toHaveValue("four");
  (await takeRequest(requests, `GET ${PATH}`)).answer(STATE, 200, { ETag: '"one"' });
  const first = await takeRequest(requests, `PATCH ${PATH}`);
  expect(await first.body()).toEqual({ layout: "two" });
  expect(requests).toEqual([]);
  first.answer({ ...STATE, layout: "two" });
  (await takeRequest(requests, `GET ${PATH}`)).answer({ ...STATE, layout: "two" }, 200, { ETag: '"two"' });
  const second = await takeRequest(requests, `PATCH ${PATH}`);
  expect(await second.body()).toEqual({ layout: "four" });
  expect(layout).toHaveValue("four");
  second.answer({ ...STATE, layout: "four" });
  await waitFor(() => expect(onChanged).toHaveBeenCalledTimes(2));
  expect(screen.queryByText(/změnil někdo jiný/)).toBeNull();
});
