from massbalance.ledger.store import Ledger
def test_x(ledger, ledger_url):
    with ledger.writing() as w:
        w.journal("intake")
        w.move("received",period="P",commodity="lot:日本",debit="source",credit="held",quantity=5)
    assert ledger.balances()=={"lot:日本":5}
