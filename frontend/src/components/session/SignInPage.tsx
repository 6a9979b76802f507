import type { Session } from "@/types/session";

export default function SignInPage({ session }: { session: Session }) {
  return <main>{session.mode}</main>;
}
