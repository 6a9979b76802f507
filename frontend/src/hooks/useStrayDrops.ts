import { useEffect } from "react";
import { useLanguage } from "@/i18n/context";
import { showToast } from "@/lib/toasts";
import { hasFiles } from "./useFileDrop";

/**
 * Files dropped where the page does not take them: the browser would leave the dashboard and open them. A message
 * says where photos can be dropped.
 */
export function useStrayDrops(): void {
  const { t } = useLanguage();
  useEffect(() => {
    // A page that takes files captures their events, so it has them first.
    const isStray = (event: DragEvent) => hasFiles(event) && !event.defaultPrevented;
    const over = (event: DragEvent) => {
      if (!isStray(event)) return;
      event.preventDefault();
      if (event.dataTransfer) event.dataTransfer.dropEffect = "none";
    };
    const drop = (event: DragEvent) => {
      if (!isStray(event)) return;
      event.preventDefault();
      showToast(t("upload.elsewhere"), "bad");
    };
    addEventListener("dragover", over);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragover", over);
      removeEventListener("drop", drop);
    };
  }, [t]);
}
