"""The script that Streamlit runs for every page: page setup, navigation, then the page itself."""

import streamlit as st

from pages._ui import i18n, navigation, takeaway

NAME = "Kasane 重ね"

i18n.begin()
# The icon first: without one the navigation takes a page's own, which the browser would fetch from another host.
st.set_page_config(page_icon=str(i18n.ASSETS / "images" / "icon.svg"), layout="wide")
parts = {name: list(part.values()) for name, part in navigation.sections().items()}
if nowhere := navigation.nowhere({page.url_path for part in parts.values() for page in part}):
    parts[""].append(nowhere)
page = st.navigation(parts, position="top")
st.set_page_config(page_title=f"{page.title} · {NAME}" if page.url_path else NAME)
if page.url_path != "train":
    takeaway.close()  # on a phone people leave a dialog by "Back": it is not to stand there when they return
page.run()
