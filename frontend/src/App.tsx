import { QueryClientProvider, type QueryClient } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { BrowserRouter, Route, Routes } from "react-router";
import { Arrivals } from "@/components/Arrivals";
import { ErrorBoundary } from "@/components/ErrorBoundary";
import { SessionGate } from "@/components/session/SessionGate";
import { Shell } from "@/components/Shell";
import { LanguageProvider } from "@/i18n/LanguageProvider";
import { ListPage } from "@/pages/ListPage";
import { MissingPage } from "@/pages/MissingPage";

const OrderPage = lazy(() => import("@/pages/OrderPage"));
const ReviewPage = lazy(() => import("@/pages/ReviewPage"));
const SystemPage = lazy(() => import("@/pages/SystemPage"));

export function App({ queryClient }: { queryClient: QueryClient }) {
  return (
    <LanguageProvider>
      <ErrorBoundary>
        <QueryClientProvider client={queryClient}>
          <BrowserRouter>
            <SessionGate>
              <Arrivals />
              <Routes>
                <Route
                  path="review"
                  element={
                    <Suspense>
                      <ReviewPage />
                    </Suspense>
                  }
                />
                <Route element={<Shell />}>
                  <Route index element={<ListPage />} />
                  <Route path="orders/:orderNumber" element={<OrderPage />} />
                  <Route path="system" element={<SystemPage />} />
                  <Route path="*" element={<MissingPage />} />
                </Route>
              </Routes>
            </SessionGate>
          </BrowserRouter>
        </QueryClientProvider>
      </ErrorBoundary>
    </LanguageProvider>
  );
}
