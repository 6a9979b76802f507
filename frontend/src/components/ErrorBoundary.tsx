import { Component, type ReactNode } from "react";
import { useLanguage } from "@/i18n/context";
import { Notice } from "./Notice";

function Crash() {
  const { t } = useLanguage();
  return (
    <Notice alert icon="alert" heading="h1" title={t("crash.title")} text={t("crash.text")}>
      <button type="button" className="button button-primary" onClick={() => location.reload()}>
        {t("crash.reload")}
      </button>
    </Notice>
  );
}

/** Shows an error in place of children that fail to render. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { broken: boolean }> {
  override state = { broken: false };

  static getDerivedStateFromError() {
    return { broken: true };
  }

  override render() {
    return this.state.broken ? <Crash /> : this.props.children;
  }
}
