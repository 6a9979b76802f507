import { useId } from "react";
import { Icon } from "@/components/Icon";
import { useSession } from "@/hooks/useSession";
import { useLanguage } from "@/i18n/context";
import { failureSentence } from "@/lib/failure";
import { showToast } from "@/lib/toasts";
import type { Caller } from "@/types/session";

function SignOutButton() {
  const { t } = useLanguage();
  const { signOut } = useSession();
  const onSignOut = () =>
    void signOut().catch((error: unknown) => showToast(failureSentence(error, t), "bad"));
  return (
    <button type="button" className="button button-small mt-4 w-full" onClick={onSignOut}>
      {t("who.signOut")}
    </button>
  );
}

/** The popover below the header; the browser closes it on Esc and on a click outside. */
function Card({ id, caller, canSignOut }: { id: string; caller: Caller; canSignOut: boolean }) {
  const { t } = useLanguage();
  return (
    <div
      id={id}
      popover="auto"
      className="fixed inset-auto top-[3.25rem] right-4 m-0 w-64 rounded-2xl border border-line bg-card p-4 text-ink shadow-float sm:right-[max(1.75rem,calc(50vw-632px))]"
    >
      <p className="font-semibold break-words">{caller.name}</p>
      <p className="text-[13px] text-mute">{t(`who.${caller.role}`)}</p>
      <p className="mt-2 text-[13px]">{t(`who.${caller.role}.text`)}</p>
      {canSignOut && <SignOutButton />}
    </div>
  );
}

/** The signed-in user, the role and the sign-out button; nothing with AUTH_MODE=open. */
export function UserMenu() {
  const { t } = useLanguage();
  const { mode, caller } = useSession();
  const id = useId();
  if (mode === "open" || caller === null) return null;
  const isViewer = caller.role === "viewer";
  return (
    <>
      <button
        type="button"
        popoverTarget={id}
        aria-label={t("who.label", { name: caller.name })}
        title={t(`who.${caller.role}`)}
        className="flex h-8 items-center gap-1.5 rounded-[8px] px-1.5 text-[13px] text-mute transition-colors hover:bg-soft hover:text-ink"
      >
        <Icon name={isViewer ? "eye" : "person"} className="size-[18px]" />
        <span className="max-w-36 truncate max-md:sr-only">{caller.name}</span>
      </button>
      <Card id={id} caller={caller} canSignOut={mode === "password"} />
    </>
  );
}
