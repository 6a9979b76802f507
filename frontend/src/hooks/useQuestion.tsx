import { lazy, Suspense, useState, type ReactNode } from "react";

const QuestionDialog = lazy(() => import("@/components/QuestionDialog"));

export interface Question {
  title: string;
  text: string;
  /** Text of the button that confirms. */
  confirm: string;
  /** Whether the action cannot be undone. */
  isDangerous?: boolean;
  /** Name of the field for a reason; no field without it. */
  reason?: string;
}

interface Asked {
  question: Question;
  answer: (reason: string | null) => void;
}

/** Asks before an action; `dialog` is to be rendered. */
export function useQuestion(): {
  /** Resolves to the reason (empty without a field), or to null if the action was not confirmed. */
  ask: (question: Question) => Promise<string | null>;
  dialog: ReactNode;
} {
  const [asked, setAsked] = useState<Asked | null>(null);
  const ask = (question: Question) =>
    new Promise<string | null>((resolve) => {
      const answer = (reason: string | null) => {
        setAsked(null);
        resolve(reason);
      };
      setAsked({ question, answer });
    });
  const dialog = asked && (
    <Suspense>
      <QuestionDialog question={asked.question} onAnswer={asked.answer} />
    </Suspense>
  );
  return { ask, dialog };
}
