import { Suspense } from "react";
import { NavLink, Outlet, useLocation } from "react-router";
import { useLanguage } from "@/i18n/context";
import { useMercure } from "@/hooks/useMercure";
import { useScrollPosition } from "@/hooks/useScrollPosition";
import { useStrayDrops } from "@/hooks/useStrayDrops";
import { cn } from "@/lib/cn";
import { BrandLink } from "./Brand";
import { ConnectionLight } from "./ConnectionLight";
import { ErrorBoundary } from "./ErrorBoundary";
import { NotificationSwitch } from "./NotificationSwitch";
import { PauseBanner } from "./PauseBanner";
import { UserMenu } from "./session/UserMenu";
import { ShortcutHelp } from "./ShortcutHelp";
import { LanguageSwitch, ThemeSwitch } from "./Switches";
import { Toasts } from "./Toasts";

function NavItem({ to, text, also = false }: { to: string; text: string; also?: boolean }) {
  const look = (active: boolean) =>
    cn(
      "rounded-lg px-2.5 py-1.5 transition-colors",
      active ? "bg-soft text-ink" : "text-mute hover:text-ink",
    );
  return (
    <NavLink to={to} end className={({ isActive }) => look(isActive || also)}>
      {text}
    </NavLink>
  );
}

function Header() {
  const { t } = useLanguage();
  const inOrders = useLocation().pathname.startsWith("/orders");
  return (
    <header className="sticky top-0 z-30 border-b border-line bg-card">
      <div className="page-width flex h-14 items-center gap-2 px-4 sm:gap-5 sm:px-7">
        <a
          href="#main"
          className="sr-only focus:not-sr-only focus:rounded-lg focus:bg-ink focus:px-3 focus:py-1.5 focus:text-paper"
        >
          {t("nav.skip")}
        </a>
        <BrandLink />
        <nav aria-label={t("nav.label")} className="flex gap-1">
          <NavItem to="/" text={t("nav.orders")} also={inOrders} />
          <NavItem to="/system" text={t("nav.system")} />
        </nav>
        <div className="ml-auto flex items-center gap-2">
          <ConnectionLight />
          <ShortcutHelp />
          <NotificationSwitch />
          <ThemeSwitch />
          <LanguageSwitch />
          <UserMenu />
        </div>
      </div>
    </header>
  );
}

/** The layout of every page. */
export function Shell() {
  const { pathname } = useLocation();
  useScrollPosition();
  useStrayDrops();
  // One stream for all pages: navigation does not reconnect, and the connection light is correct on each page.
  useMercure();
  return (
    <div className="flex min-h-dvh flex-col">
      <Header />
      <PauseBanner />
      <main id="main" tabIndex={-1} className="page-width flex-1 px-4 py-6 outline-none sm:px-7">
        <ErrorBoundary key={pathname}>
          <Suspense>
            <Outlet />
          </Suspense>
        </ErrorBoundary>
      </main>
      <Toasts />
    </div>
  );
}
