import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ApiError } from "@/api/client";
import { useSession } from "@/hooks/useSession";
import { useLanguage, type Translate } from "@/i18n/context";
import { failureSentence } from "@/lib/failure";
import { notifyOtherTabs } from "@/lib/otherTabs";
import { signIn } from "@/lib/session";

/** Why a sign-in failed: a sentence; or too many attempts, for `seconds`, until the time `until` (ms). */
export type SignInError = { sentence: string; isCredentials: boolean } | { seconds: number; until: number };

function toSignInError(error: unknown, t: Translate): SignInError {
  if (!(error instanceof ApiError) || error.code !== "too_many_attempts" || error.retryAfter === null)
    return {
      sentence: failureSentence(error, t),
      isCredentials: error instanceof ApiError && error.code === "bad_credentials",
    };
  return { seconds: error.retryAfter, until: Date.now() + error.retryAfter * 1000 };
}

/** Signing in. `submit` resolves to whether it succeeded; it does nothing while another attempt is running. */
export function useSignIn() {
  const { t } = useLanguage();
  const { renew } = useSession();
  const queries = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [signInError, setSignInError] = useState<SignInError>();

  const submit = async (name: string, password: string): Promise<boolean> => {
    if (busy) return false;
    setBusy(true);
    setSignInError(undefined);
    try {
      await signIn(queries, name, password);
      notifyOtherTabs("signedIn");
      return true;
    } catch (error) {
      setSignInError(toSignInError(error, t));
      // AUTH_MODE was changed since this page was opened.
      if (error instanceof ApiError && error.code === "no_passwords") void renew().catch(() => null);
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, signInError, setSignInError, submit };
}
