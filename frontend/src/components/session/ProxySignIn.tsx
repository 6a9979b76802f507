import { useLanguage } from "@/i18n/context";

/** With an authenticating proxy users sign in there; this page explains it and offers to reload. */
export function ProxySignIn() {
  const { t } = useLanguage();
  return (
    <>
      <h1 className="text-lg font-semibold tracking-tight">{t("signIn.proxy.title")}</h1>
      <p className="mt-1.5 text-mute">{t("signIn.proxy.text")}</p>
      <button
        type="button"
        autoFocus
        className="button button-primary mt-5 h-11 w-full"
        onClick={() => location.reload()}
      >
        {t("signIn.proxy.reload")}
      </button>
    </>
  );
}
