import { useId, useLayoutEffect, useRef, type Ref, type SyntheticEvent } from "react";
import { useNow } from "@/hooks/useNow";
import { useLanguage } from "@/i18n/context";
import { cn } from "@/lib/cn";
import { useSignIn, type SignInError } from "./useSignIn";

/** Short enough that the countdown does not skip a second. */
const COUNTDOWN_TICK_MS = 250;

interface FieldProps {
  label: string;
  /** Names that password managers recognize. */
  name: "username" | "current-password";
  initial?: string;
  wrong: boolean;
  /** Id of the element with the error message. */
  describedBy: string;
  field: Ref<HTMLInputElement>;
}

function Field({ label, name, initial, wrong, describedBy, field }: FieldProps) {
  return (
    <label className="block text-[13px] text-mute">
      <span className="mb-1.5 block">{label}</span>
      <input
        ref={field}
        id={name}
        name={name}
        type={name === "username" ? "text" : "password"}
        autoComplete={name}
        autoCapitalize="none"
        autoCorrect="off"
        spellCheck={false}
        defaultValue={initial}
        aria-invalid={wrong}
        aria-describedby={wrong ? describedBy : undefined}
        className={cn(
          "h-11 w-full rounded-[9px] border bg-paper px-3 text-base text-ink",
          wrong ? "border-bad" : "border-line",
        )}
      />
    </label>
  );
}

function Countdown({ seconds, until }: { seconds: number; until: number }) {
  const { t } = useLanguage();
  const left = Math.ceil((until - useNow(COUNTDOWN_TICK_MS)) / 1000);
  if (left <= 0) return t("signIn.waited");
  return (
    <>
      {/* Screen readers announce the number once, not every second. */}
      <span className="sr-only">{t("signIn.wait", { count: seconds })}</span>
      <span aria-hidden className="tabular-nums">
        {t("signIn.wait", { count: Math.min(left, seconds) })}
      </span>
    </>
  );
}

/** Reserves a line even without a message, so that the form does not move. */
function Message({ id, signInError }: { id: string; signInError: SignInError | undefined }) {
  return (
    <p id={id} role="alert" className="mt-2.5 -mb-2 min-h-5 text-[13px] leading-5 text-bad">
      {signInError && ("sentence" in signInError ? signInError.sentence : <Countdown {...signInError} />)}
    </p>
  );
}

/** Name and password. `person`: the user whose session ended and whose pages are hidden. */
export function SignInForm({ person }: { person: string | null }) {
  const { t } = useLanguage();
  const { busy, signInError, setSignInError, submit } = useSignIn();
  const messageId = useId();
  const name = useRef<HTMLInputElement>(null);
  const password = useRef<HTMLInputElement>(null);
  // Before the browser shows the form: keys pressed from then on belong to the field.
  useLayoutEffect(() => {
    (person === null ? name : password).current?.focus();
  }, [person]);

  const validate = async () => {
    const isWaiting = signInError && "until" in signInError && signInError.until > Date.now();
    if (!name.current || !password.current || isWaiting) return;
    const [nameField, passwordField] = [name.current, password.current];
    const missing = [nameField, passwordField].find((field) => field.value.trim() === "");
    if (missing) {
      setSignInError({ sentence: t("signIn.missing"), isCredentials: true });
      missing.focus();
    } else if (!(await submit(nameField.value.trim(), passwordField.value))) passwordField.select();
  };
  const onSubmit = (event: SyntheticEvent) => {
    event.preventDefault();
    void validate();
  };
  const wrong = signInError !== undefined && "isCredentials" in signInError && signInError.isCredentials;
  const field = { wrong, describedBy: messageId };
  return (
    <form noValidate aria-busy={busy} onSubmit={onSubmit}>
      <h1 className="text-lg font-semibold tracking-tight">{t("signIn.title")}</h1>
      {person !== null && <p className="mt-1.5 text-mute">{t("signIn.ended")}</p>}
      <div className="mt-5 flex flex-col gap-4">
        <Field
          label={t("signIn.name")}
          name="username"
          {...(person !== null && { initial: person })}
          field={name}
          {...field}
        />
        <Field label={t("signIn.password")} name="current-password" field={password} {...field} />
      </div>
      <button
        type="submit"
        className="button button-primary mt-6 h-11 w-full aria-disabled:opacity-60"
        // Not `disabled`: a disabled button loses the focus.
        aria-disabled={busy}
      >
        {t(busy ? "signIn.busy" : "signIn.submit")}
      </button>
      <Message id={messageId} signInError={signInError} />
    </form>
  );
}
