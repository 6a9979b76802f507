import type { ReactNode } from "react";
import { Icon, type IconName } from "./Icon";

interface NoticeProps {
  icon: IconName;
  title: string;
  text?: string;
  children?: ReactNode;
  alert?: boolean;
  /** `h1` if the notice replaces the whole page. */
  heading?: "h1" | "h2";
}

/** Replaces missing content: empty, not found, or failed to load. */
export function Notice({ icon, title, text, children, alert = false, heading: Heading = "h2" }: NoticeProps) {
  return (
    <div
      role={alert ? "alert" : undefined}
      className="mx-auto flex max-w-md flex-col items-center px-6 py-20 text-center"
    >
      <span className="mb-4 grid size-12 place-items-center rounded-2xl bg-soft text-mute">
        <Icon name={icon} className="size-6" />
      </span>
      <Heading className="text-lg font-semibold tracking-tight">{title}</Heading>
      {text && <p className="mt-1.5 text-mute">{text}</p>}
      {children && <div className="mt-5 flex gap-2">{children}</div>}
    </div>
  );
}
