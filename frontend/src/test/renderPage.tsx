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

/** Renders `page` at `address` with the shell's providers, without retries of failed requests. */
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

/** More than the toasts of any test file. */
const TOASTS = 1000;

/** Toasts outlive their page: remove them before the next test. */
export function forgetToasts(): void {
  for (let id = 1; id <= TOASTS; id++) dismissToast(id);
}
