import * as Dialog from "@radix-ui/react-dialog";
import { useLayoutEffect, useState } from "react";
import { useLanguage } from "@/i18n/context";
import { useAllShortcuts, useShortcuts } from "@/lib/shortcuts";
import { Icon } from "./Icon";
import { ModalContent } from "./ModalContent";

/** The button and the dialog with the keyboard shortcuts of this page. */
export function ShortcutHelp() {
  const { t } = useLanguage();
  const [open, setOpen] = useState(false);
  const shortcuts = useAllShortcuts();
  useShortcuts([{ key: "?", label: t("help.help"), inDialogs: true, run: () => setOpen(true) }]);
  // Before any dialog: until its layer is registered, Esc would close the dialog below the help.
  useLayoutEffect(() => {
    if (!open) return;
    const close = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      setOpen(false);
    };
    addEventListener("keydown", close, true);
    return () => removeEventListener("keydown", close, true);
  }, [open]);
  const sections = [...new Set(shortcuts.map((shortcut) => shortcut.section ?? ""))].toSorted((one) =>
    one === "" ? -1 : 0,
  );
  return (
    <Dialog.Root open={open} onOpenChange={setOpen}>
      <Dialog.Trigger
        className="icon-button max-sm:hidden"
        aria-label={t("help.open")}
        title={t("help.open")}
      >
        <Icon name="keyboard" className="size-[18px]" />
      </Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-[#1d1b18]/40" />
        <ModalContent
          aria-describedby={undefined}
          className="fixed top-1/2 left-1/2 z-50 max-h-[92dvh] w-[min(26rem,calc(100vw-2rem))] -translate-x-1/2 -translate-y-1/2 overflow-y-auto rounded-2xl border border-line bg-card p-5 shadow-float"
        >
          <div className="mb-3 flex items-center justify-between">
            <Dialog.Title className="text-base font-semibold">{t("help.title")}</Dialog.Title>
            <Dialog.Close className="icon-button" aria-label={t("action.close")}>
              <Icon name="close" />
            </Dialog.Close>
          </div>
          {sections.map((section) => (
            <section key={section} className="not-first-of-type:mt-4">
              {section !== "" && <h3 className="text-[13px] font-semibold text-mute">{section}</h3>}
              <dl className="divide-y divide-line">
                {shortcuts
                  .filter((shortcut) => (shortcut.section ?? "") === section)
                  .map((shortcut) => (
                    <div key={shortcut.key} className="flex items-center justify-between gap-4 py-2">
                      <dt>{shortcut.label}</dt>
                      <dd>
                        <kbd>{shortcut.key}</kbd>
                      </dd>
                    </div>
                  ))}
              </dl>
            </section>
          ))}
        </ModalContent>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
