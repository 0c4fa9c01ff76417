"""README.txt of a pack: what is in it and how to verify it, in English and Japanese."""

from __future__ import annotations

from massbalance.audit.alone.ed25519 import key_id
from massbalance.audit.alone.view import View

README = """\
Audit pack of a mass-balance ledger
===================================

Ledger    {ledger}
Periods   {periods}
Head      row {n}, hash {hash}
Recorded  up to {at}
Signed by key {key_id}

To verify, with nothing but Python 3.9 or later:

    python verify.py --key {key_id}

It prints what it checked and a verdict, and exits with 0 when everything holds, else with 8. Compare the
key id with the one that the maker gave you earlier, and give checkpoints that you hold with --checkpoint
FILE: whoever makes up a whole pack can sign it with a key of his own, but neither with the maker's key
nor with the hashes of a checkpoint that you hold. Take verify.py from an earlier pack or from the maker's
massbalance if you do not want to trust the one in this folder.

What it checks: every byte against manifest.json, manifest.json against its signature; the chain of
hashes over every row of the ledger; double entry, balances never below zero, periods, locks,
checkpoints; each run's files against the ledger's rows, to the last digit; every claim anew, in exact
fractions, from the case: level, caps, expiry, boundary; the residual and its identity; certificates
against their rows; and it makes balances.csv, walks.csv, evidence.csv, report.html and this page again.
What it cannot check: whether the papers that evidence.csv names are true, whether the optimum was found
(massbalance verify does that from the run's folder), and what stands in rows given by their digest only.

README.txt            this page
verify.py             the verifier, one file, standard library only
report.html           for reading, in English and Japanese
pack.json             ledger, head, periods
manifest.json         size and SHA-256 of every other file
manifest.sig.json     its Ed25519 signature
copy.zip              a second copy of every file, so that the first wrong byte can be named
ledger/entries.txt    all rows: number, hash, row; rows that have nothing to do with the periods
                      by their digest only (=...)
checkpoints/          signed checkpoints of the ledger
runs/                 each posted run's folder, with its case and rule model
rules/                the rule models in force
certificates/         certificates and residual statements of the periods
balances.csv          every lot's and effect's account in the periods
walks.csv             claim by claim: order, lots, evidence
evidence.csv          clause by clause: what is recorded, by whom, when, and what is missing

Files are looked at in this order, which says which wrong byte is the first: manifest.json,
manifest.sig.json, the others by their path, copy.zip last.


マスバランス台帳の監査資料
===========================

台帳 {ledger}
会計期間 {periods}
最終行 第{n}行 ハッシュ {hash}
記録時点 {at}
署名鍵 {key_id}

検証にはPython 3.9以上だけが必要です（他のソフトウェアは不要）。

    python verify.py --key {key_id}

検証項目と結論を表示し、すべて正しければ終了コード0、そうでなければ8を返します。鍵IDは、作成者から事前に
受け取ったものと照合してください。手元にチェックポイントがあれば --checkpoint FILE で指定してください。
資料全体を偽造する者は自分の鍵で署名できますが、作成者の鍵や、手元のチェックポイントのハッシュとは一致
しません。このフォルダーのverify.pyを信用できない場合は、以前に受け取ったものを使ってください。

検証の内容：全ファイルの全バイト（manifest.jsonと署名）、台帳全行のハッシュ連鎖、複式記入、残高が負に
ならないこと、期間と締め、チェックポイント、各計算結果と台帳の一致、すべての主張（水準、上限、有効期限、
境界）の再計算、残余と恒等式、証明書、表と報告書の再作成。検証できないこと：証拠書類そのものの真偽、
最適性（massbalance verifyで検証）、ダイジェストのみの行の内容。

ファイルを調べる順序（最初の誤りの定義）：manifest.json、manifest.sig.json、その他はパスの順、
最後にcopy.zip。
"""


def readme(view: View, public_hex: str) -> bytes:
    """The page, in UTF-8."""
    pack = view.pack
    return README.format(
        ledger=pack["ledger"],
        periods=", ".join(view.periods),
        n=pack["head"]["n"],
        hash=pack["head"]["hash"],
        at=pack["at"],
        key_id=key_id(public_hex),
    ).encode()
