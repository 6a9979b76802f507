import { Mark } from "@/components/Brand";
import { LanguageSwitch, ThemeSwitch } from "@/components/Switches";
import { useFileDrop } from "@/hooks/useFileDrop";
import { useTitle } from "@/hooks/useTitle";
import { useLanguage } from "@/i18n/context";
import type { Session } from "@/types/session";
import { ProxySignIn } from "./ProxySignIn";
import { SignInForm } from "./SignInForm";

const nothing = () => undefined;

/** Replaces every page while no user is signed in. */
export default function SignInPage({ session }: { session: Session }) {
  const { t } = useLanguage();
  useTitle(t("signIn.title"));
  // Otherwise the browser would open a dropped photo and leave the page.
  useFileDrop(nothing);
  return (
    <div className="flex min-h-dvh flex-col">
      <header className="flex h-14 items-center justify-end gap-2 px-4 sm:px-7">
        <ThemeSwitch />
        <LanguageSwitch />
      </header>
      <main className="mx-auto w-full max-w-[26rem] flex-1 px-4 pt-[min(11vh,7rem)] pb-16">
        <p className="mb-5 flex items-center justify-center gap-2.5 text-lg font-bold tracking-tight">
          <Mark className="size-7" />
          {t("app.name")}
        </p>
        <div className="rounded-2xl border border-line bg-card p-6 shadow-card sm:p-7">
          {session.mode === "proxy" ? <ProxySignIn /> : <SignInForm person={session.person} />}
        </div>
      </main>
    </div>
  );
}
