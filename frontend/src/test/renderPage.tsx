import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { ReactNode } from "react";
import { MemoryRouter, Route, Routes, useLocation } from "react-router";
import { Toasts } from "@/components/Toasts";
import { dismissToast } from "@/lib/toasts";

function Address() {
  const { pathname, search } = useLocation();
  return <output data-testid="address">{pathname + search}</output>;
}

/** Shows `page` at `address`, with what the shell has around it, and without retries of failed requests. */
export function renderPage(page: ReactNode, address: string) {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: 60_000 } } });
  const [path = "/"] = address.split("?");
  const shown = render(
    <QueryClientProvider client={client}>
      <MemoryRouter initialEntries={[address]}>
        <Routes>
          <Route path={path} element={page} />
          <Route path="*" element={null} />
        </Routes>
        <Address />
        <Toasts />
      </MemoryRouter>
    </QueryClientProvider>,
  );
  return { ...shown, user: userEvent.setup() };
}

/** More than any test file shows. */
const TOASTS = 1000;

/** Toasts outlive the page that showed them; the next test begins without. */
export function forgetToasts(): void {
  for (let id = 1; id <= TOASTS; id++) dismissToast(id);
}
